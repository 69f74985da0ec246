// CURRENT: the only mutable object of a collection, changed only by compare-and-swap. Names the
// committed manifest.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'

const versionFields = {
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
}
const counters = z.number().int().min(0)
const stateFields = {
  /** Newest log slot that the version holds: where a process that knows no slot begins to look. */
  appliedSlot: counters,
  /** Slots up to this one are no longer part of the log. 0: the whole log is there. */
  floor: counters,
  /** Ingestions with work left, their items, and bytes of their lines in the log. */
  open: z.strictObject({ jobs: counters, items: counters, bytes: counters.optional() }),
  /** Nothing is accepted any more: the collection was dropped, and its objects are deleted. */
  dropped: z.boolean()
}

/**
 * Format 1 is of programs before 0.4. The next commit writes format 2. Format 3: slots of the log may
 * be deleted, so nobody may append who does not look at the floor.
 */
export const currentSchema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal(1), ...versionFields }),
  z.strictObject({ format: z.literal([2, 3]), ...versionFields, ...stateFields })
])
export type Current = z.infer<typeof currentSchema>
type StatedCurrent = Exclude<Current, { format: 1 }>
type CurrentState = z.infer<z.ZodObject<typeof stateFields>>

const emptyState: CurrentState = {
  appliedSlot: 0,
  floor: 0,
  open: { jobs: 0, items: 0 },
  dropped: false
}

/** Returns the fields of format 2. Those that `current` does not have begin empty. */
export function withState(current: Current, change: Partial<CurrentState> = {}): StatedCurrent {
  const next = { ...emptyState, ...current, ...change }
  return { ...next, format: next.floor > 0 ? 3 : 2 }
}

export const isDropped = (current: Current): boolean => current.format !== 1 && current.dropped
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

/**
 * Returns the CURRENT of a collection that takes operations, undefined when the collection is gone or
 * dropped. null: it is damaged, and can be made again from the log, so operations are taken.
 */
export async function readLive(
  store: ObjectStore,
  key: string
): Promise<Current | null | undefined> {
  try {
    const found = await readCurrent(store, key)
    return found === undefined || isDropped(found.current) ? undefined : found.current
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return null
    throw error
  }
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
