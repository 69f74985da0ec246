// Slots of a log in the store: finds the newest slot, reads slots, and creates the next slot.
import { collectionKeys } from '@likeness/shared/contract/keys'
import {
  decodeLogSlot,
  encodeLogSlot,
  type LoggedOperation,
  type Operation,
  revisionOf
} from '@likeness/shared/contract/operation'
import { appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { readLive } from '../version/current.ts'
import { readCommitted } from '../version/read-manifest.ts'

const slotsAhead = 16

export interface Appended {
  revision: number
  slot: number
}
export interface ReadSlot {
  slot: number
  operations: LoggedOperation[]
}

const dropped = () => appError('collection_not_found', 'the collection was dropped')

/**
 * A slot that exists, or was folded. A damaged CURRENT is one that can be made again: every slot that a
 * base names was there.
 */
async function appliedSlot(store: ObjectStore, collectionId: string): Promise<number> {
  const confirmed = await confirmLive(store, collectionId)
  if (confirmed.isOfThisFormat || confirmed.isDamaged) return confirmed.appliedSlot
  try {
    const manifest = await readCommitted(store, collectionId)
    if (manifest === undefined) throw dropped()
    return manifest.appliedSlot
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return 0
    throw error
  }
}

/**
 * Returns the floor of a log of which CURRENT is damaged: no slot above it can be deleted. The newest
 * base says that by its name.
 */
async function floorOfBases(store: ObjectStore, collectionId: string): Promise<number> {
  const { basePrefix } = collectionKeys(collectionId)
  let floor = 0
  for await (const { key } of store.list(basePrefix))
    floor = Math.max(floor, Number.parseInt(key.slice(basePrefix.length), 10))
  return floor
}

/**
 * Returns the newest slot. `known` is a slot that exists, or was folded. Slots above those are dense, so a few probes find the
 * newest one, however many there are: the step doubles up to a slot that does not exist, then halves.
 */
export async function findTail(
  store: ObjectStore,
  collectionId: string,
  known: number | undefined
): Promise<number> {
  const keys = collectionKeys(collectionId)
  const exists = async (slot: number): Promise<boolean> =>
    (await store.head(keys.logSlot(slot))) !== undefined
  let tail = known ?? (await appliedSlot(store, collectionId))
  let step = 1
  for (; await exists(tail + step); step *= 2) tail += step
  // The slot at tail + step does not exist.
  while (step > 1) {
    step /= 2
    if (await exists(tail + step)) tail += step
  }
  return tail
}

/** Yields the slots after `after`, up to the first that does not exist. */
export async function* slotsAfter(
  store: ObjectStore,
  collectionId: string,
  after: number
): AsyncIterable<ReadSlot> {
  const keys = collectionKeys(collectionId)
  for (let slot = after + 1, ahead = 1; ; ahead = slotsAhead) {
    const read = await Promise.all(
      Array.from({ length: ahead }, (_, i) => store.get(keys.logSlot(slot + i)))
    )
    for (const stored of read) {
      if (stored === undefined) return
      yield { slot, operations: decodeLogSlot(keys.logSlot(slot), stored.body).operations }
      slot++
    }
  }
}

/** Finds an operation in a slot. Returns undefined when the slot does not have it. */
export function findInSlot({ slot, operations }: ReadSlot, opId: string): Appended | undefined {
  const index = operations.findIndex((operation) => operation.opId === opId)
  return index >= 0 ? { revision: revisionOf(slot, index), slot } : undefined
}

/**
 * What CURRENT says of the log. Read after a slot was created or found, before any operation of the
 * slot is acknowledged: the floor is committed before any slot is deleted.
 */
export interface Confirmed {
  isOfThisFormat: boolean
  appliedSlot: number
  /** A slot up to this one is no part of the log: it was folded, or created after that. */
  floor: number
  open: { jobs: number; bytes: number }
  /** CURRENT cannot be read, and is to be made again. */
  isDamaged: boolean
}

/** Throws collection_not_found when the collection was dropped: nobody applies its log any more. */
export async function confirmLive(store: ObjectStore, collectionId: string): Promise<Confirmed> {
  const current = await readLive(store, collectionKeys(collectionId).current)
  if (current === undefined) throw dropped()
  const open = { jobs: 0, bytes: 0 }
  if (current === null) {
    const floor = await floorOfBases(store, collectionId)
    return { isOfThisFormat: false, appliedSlot: floor, floor, open, isDamaged: true }
  }
  if (current.format === 1)
    return { isOfThisFormat: false, appliedSlot: 0, floor: 0, open, isDamaged: false }
  const { appliedSlot, floor } = current
  const { jobs, bytes = 0 } = current.open
  return { isOfThisFormat: true, appliedSlot, floor, open: { jobs, bytes }, isDamaged: false }
}

/**
 * Returns undefined when the slot was created, else the existing slot; null when that is gone by now:
 * it was folded.
 */
export async function createSlot(
  store: ObjectStore,
  key: string,
  operations: Operation[]
): Promise<Uint8Array | undefined | null> {
  const written = await store.putIf(key, encodeLogSlot(operations), { create: true })
  if (written !== undefined) return undefined
  // The slot is taken by another process, or by an earlier try of ours whose answer was lost.
  return (await store.get(key))?.body ?? null
}
