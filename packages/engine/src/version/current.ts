// CURRENT: the only mutable object of a collection, changed only by compare-and-swap. Names the
// committed manifest.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'

export const currentSchema = z.strictObject({
  format: z.literal(1),
  seq: z.number().int().min(0),
  /** Raised by every new writer before its first other write. */
  epoch: z.number().int().min(0),
  /** Commit id of the manifest. The manifest names the id of its parent. */
  commitId: z.string(),
  manifest: z.string(),
  sha256: z.string(),
  /**
   * New with every write of CURRENT, for any purpose. Tells a writer whether an ambiguous write was
   * its own.
   */
  writeId: z.string()
})
export type Current = z.infer<typeof currentSchema>
export interface VersionedCurrent {
  current: Current
  etag: string
}

export const encodeCurrent = (current: Current): Uint8Array => encodeObject(current)

/**
 * Returns undefined when the collection does not exist (any more). Throws data_corrupt when CURRENT
 * is damaged.
 */
export async function readCurrent(
  store: ObjectStore,
  key: string
): Promise<VersionedCurrent | undefined> {
  const stored = await store.get(key)
  if (stored === undefined) return undefined
  return { current: decodeObject(currentSchema, key, stored.body), etag: stored.etag }
}

export type Swap = { won: true; etag: string } | { won: false; found: VersionedCurrent | undefined }

/**
 * Moves CURRENT from `etag` to `next`. A write with an ambiguous answer may still land later. So
 * the same body is sent again under the same condition until CURRENT has moved. Then `writeId`
 * tells whether the write was ours.
 */
export async function swapCurrent({
  store,
  clock,
  key,
  next,
  etag,
  signal
}: {
  store: ObjectStore
  clock: Clock
  key: string
  next: Current
  etag: string
  signal?: AbortSignal
}): Promise<Swap> {
  const body = encodeCurrent(next)
  const written = await retryStore(clock, () => store.putIf(key, body, { ifMatch: etag }), signal)
  if (written !== undefined) return { won: true, etag: written.etag }
  const found = await retryStore(clock, () => readCurrent(store, key), signal)
  if (found?.current.writeId === next.writeId) return { won: true, etag: found.etag }
  return { won: false, found }
}
