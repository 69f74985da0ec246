// Reads the small files beside a model: descriptions and licences.
import { open } from 'node:fs/promises'
import { appError, messageOf } from '@likeness/shared/errors'

/** Far more than any description has. */
const mostBytes = 1024 ** 2

/** The first MiB as text; undefined where there is no such file. */
export async function readSmallFile(file: string): Promise<string | undefined> {
  const handle = await open(file).catch(() => undefined)
  if (handle === undefined) return undefined
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(mostBytes), 0, mostBytes, 0)
    return buffer.subarray(0, bytesRead).toString('utf8')
  } catch {
    // A folder of that name.
    return undefined
  } finally {
    await handle.close()
  }
}

/** The object in a JSON file; undefined where there is no file. Rejects with `invalid_request`. */
export async function readJsonObject(file: string): Promise<Record<string, unknown> | undefined> {
  const text = await readSmallFile(file)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch (error) {
    throw appError('invalid_request', `${file} is no JSON: ${messageOf(error)}`, { cause: error })
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
