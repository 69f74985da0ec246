// The writing half of the directory store. Every write is a durable temporary file that one system
// call puts in place.
import { createHash } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { createTempFile, isMissing, type TempFile, writeTempFile } from './directory-file.ts'
import { placeNew, placeOver, removeObjects } from './directory-place.ts'
import {
  appendVersion,
  createVersions,
  openCurrent,
  type VersionsDeps
} from './directory-versions.ts'
import { checkKey } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import { checkConditionalSize, guarded, streamTooLarge } from './store-failure.ts'

export function directoryWrites(
  deps: VersionsDeps
): Pick<ObjectStore, 'put' | 'putIf' | 'putStream' | 'delete'> {
  const durableChains = new Set<string>()
  return {
    async put(key, body) {
      checkKey(key)
      return guarded(`write ${key}`, () =>
        withTempFile(deps, body, async (temp) => {
          await placeOver(deps, temp.path, deps.paths.object(key))
          return { etag: temp.etag }
        })
      )
    },

    async putIf(key, body, condition) {
      checkKey(key)
      checkConditionalSize(key, body)
      if ('create' in condition) return guarded(`create ${key}`, () => create(deps, key, body))
      return guarded(`replace ${key}`, () =>
        replace(deps, durableChains, { key, body, ifMatch: condition.ifMatch })
      )
    },

    async putStream(key, body, { maxBytes }) {
      checkKey(key)
      const temp = await guarded(`write ${key}`, () => createTempFile(deps.paths.tmp))
      try {
        const sha256 = await fill(temp, body, { key, maxBytes })
        return await guarded(`write ${key}`, async () => {
          const { sizeBytes } = await temp.finish()
          await placeOver(deps, temp.path, deps.paths.object(key))
          return { sizeBytes, sha256 }
        })
      } catch (error) {
        await guarded(`write ${key}`, () => temp.discard())
        throw error
      }
    },

    async delete(keys) {
      for (const key of keys) checkKey(key)
      await guarded('delete', () => removeObjects(deps, keys))
    }
  }
}

async function create(
  deps: VersionsDeps,
  key: string,
  body: Uint8Array
): Promise<{ etag: string } | undefined> {
  const target = deps.paths.object(key)
  if (await exists(target)) return undefined
  return withTempFile(deps, body, async (temp) => {
    return (await placeNew(deps, temp.path, target)) ? { etag: temp.etag } : undefined
  })
}

async function replace(
  deps: VersionsDeps,
  durableChains: Set<string>,
  { key, body, ifMatch }: { key: string; body: Uint8Array; ifMatch: string }
): Promise<{ etag: string } | undefined> {
  for (;;) {
    const found = await openCurrent(deps, key)
    await found?.file.handle.close()
    if (found?.file.etag !== ifMatch) return undefined
    const { token } = found
    if (!token) await createVersions(deps, key, ifMatch)
    else if (await makeDurable(deps, durableChains, path.dirname(token.directory))) {
      return withTempFile(deps, body, async (temp) => {
        return (await appendVersion(deps, token, temp)) ? { etag: temp.etag } : undefined
      })
    }
  }
}

/**
 * Makes the chain's own directory durable, once per process; later renames in the chain need not be
 * durable. Returns false when the directory is gone.
 */
async function makeDurable(
  deps: VersionsDeps,
  durableChains: Set<string>,
  chain: string
): Promise<boolean> {
  if (durableChains.has(chain)) return true
  try {
    await deps.sync(chain)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
  if (durableChains.size > 10_000) durableChains.clear()
  durableChains.add(chain)
  return true
}

/** Body bytes and trailer are durable before `use` runs. The temporary name is gone afterwards. */
async function withTempFile<T>(
  deps: VersionsDeps,
  body: Uint8Array,
  use: (temp: { path: string; etag: string }) => Promise<T>
): Promise<T> {
  const temp = await writeTempFile(deps.paths.tmp, body)
  try {
    await deps.onStep('written')
    return await use(temp)
  } finally {
    await rm(temp.path, { force: true })
  }
}

/**
 * Writes the stream to the file and returns the sha256. Errors of the source pass unchanged; errors
 * of the disk become `store_unavailable`.
 */
async function fill(
  temp: TempFile,
  body: Readable,
  { key, maxBytes }: { key: string; maxBytes: number }
): Promise<string> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBytes) throw streamTooLarge(key, maxBytes)
    hash.update(chunk)
    await guarded(`write ${key}`, () => temp.write(chunk))
  }
  return hash.digest('hex')
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
