// Reads the input of a commit: the next log slots, and vector batches that still have an effect.
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import { decodeLogSlot, type LogSlot } from '@likeness/shared/contract/operation'
import { appError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'

const slotsAhead = 16
export const peekBytes = 256 * 1024

export interface WorkSource {
  store: ObjectStore
  clock: Clock
  keys: CollectionKeys
  signal?: AbortSignal
}

export interface StoredSlot {
  log: LogSlot
  sizeBytes: number
}

/**
 * Yields the slots after `applied`, in order. Slots are dense: the first missing one is
 * the end. Throws data_corrupt when a slot is damaged.
 */
export async function* readSlots(
  { store, clock, keys, signal }: WorkSource,
  applied: number
): AsyncGenerator<StoredSlot> {
  for (let slot = applied + 1; ; ) {
    // The first read asks for one slot. So an idle collection asks for one key, not for sixteen.
    const ahead = slot === applied + 1 ? 1 : slotsAhead
    const read = await Promise.all(
      Array.from({ length: ahead }, (_, i) =>
        retryStore(clock, () => store.get(keys.logSlot(slot + i)), signal)
      )
    )
    for (const stored of read) {
      if (stored === undefined) return
      const { body } = stored
      yield { log: decodeLogSlot(keys.logSlot(slot), body), sizeBytes: body.byteLength }
      slot++
    }
  }
}

/** Returns undefined when the slot is missing. Throws data_corrupt when it is damaged. */
export async function readSlot(
  { store, clock, keys, signal }: WorkSource,
  slot: number
): Promise<LogSlot | undefined> {
  const key = keys.logSlot(slot)
  const stored = await retryStore(clock, () => store.get(key), signal)
  return stored && decodeLogSlot(key, stored.body)
}

export const missingSlot = ({ keys }: WorkSource, slot: number) =>
  appError('object_not_found', `${keys.logSlot(slot)} is missing from the log`)

/**
 * Throws object_not_found when the next slot is missing and a later one exists. A slot is created
 * only when the slot below exists, so that would be a loss.
 */
export async function assertNoGap({ store, keys }: WorkSource, applied: number): Promise<void> {
  for await (const { key } of store.list(keys.logPrefix, { startAfter: keys.logSlot(applied) })) {
    const next = keys.logSlot(applied + 1)
    if (key !== next)
      throw appError('object_not_found', `${next} is missing from the log, and ${key} is there`)
    return
  }
}
