// The record of the last operation on a gallery, beside the index. An interrupted build continues
// under the same keys, and a finished build is skipped.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { fromStored, toStored } from '@likeness/shared/contract/stored-names'
import { UserError } from '../user-error.ts'

const outcomeSchema = z.object({
  total: z.number().int(),
  indexed: z.number().int(),
  superseded: z.number().int(),
  failed: z.number().int(),
  duplicates: z.number().int()
})
const recordSchema = z
  .object({
    operation: z.enum(['new', 'append', 'remove']),
    collection: z.string(),
    incarnation: z.string(),
    /** Fingerprint of the list and its pictures. */
    fingerprint: z.string(),
    /** Makes the Idempotency-Keys of this run of the operation. */
    nonce: z.string(),
    /** Present once finished. */
    outcome: outcomeSchema.optional()
  })
  .transform(fromStored)
export type BuildRecord = z.infer<typeof recordSchema>
export type Outcome = z.infer<typeof outcomeSchema>
export type RecordedBuild = Pick<
  BuildRecord,
  'operation' | 'collection' | 'collectionId' | 'fingerprint'
>

const fileOf = (indexDir: string): string => join(indexDir, 'build.json')

export async function readRecord(indexDir: string): Promise<BuildRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(fileOf(indexDir), 'utf8')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw new UserError(
        `${fileOf(indexDir)} is not what this program writes: move it away and try again`
      )
    throw error
  }
}

/**
 * Returns the record of the same build when it began before, else a new record; durable when
 * resolved.
 */
export async function beginRecord(indexDir: string, build: RecordedBuild): Promise<BuildRecord> {
  const last = await readRecord(indexDir)
  if (last !== undefined && isSame(last, build)) return last
  const record = { ...build, nonce: randomUUID() }
  await writeRecord(indexDir, record)
  return record
}

export const isSame = (a: RecordedBuild, b: RecordedBuild): boolean =>
  a.operation === b.operation &&
  a.collection === b.collection &&
  a.collectionId === b.collectionId &&
  a.fingerprint === b.fingerprint

export async function writeRecord(indexDir: string, record: BuildRecord): Promise<void> {
  const fresh = `${fileOf(indexDir)}.${process.pid}.new`
  try {
    await mkdir(indexDir, { recursive: true })
    const file = await open(fresh, 'w')
    try {
      await file.writeFile(`${JSON.stringify(toStored(record), undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(fresh, fileOf(indexDir))
  } catch (error) {
    throw new UserError(`index_dir ${indexDir} cannot be written: ${(error as Error).message}`)
  }
}
