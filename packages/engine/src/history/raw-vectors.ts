// Reads the raw vectors of items: parts of packs or of vector batches, each with its own checksum.
// A fold replaces batches by packs and may rewrite packs, so an item is also found by its arrival.
import { LRUCache } from 'lru-cache'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { StoredItem } from '../contract.ts'
import type { BaseRef } from '../state/history.ts'
import { type RawPlace, rawSum } from '../item/item-payload.ts'
import { PackedRaws } from './packed-raws.ts'

const readsAtOnce = 32
/** Objects that were said to be missing. */
const mostTold = 1000

type ItemWithRaws = Pick<StoredItem, 'id' | 'raws' | 'rows'>

export interface RawVectors {
  /**
   * Returns float16 [rows, dim] of each item, in the order of its rows. undefined: the item has no
   * raw vectors, or no longer; what is missing is logged once. Rejects with data_corrupt.
   */
  read(collectionId: string, items: readonly ItemWithRaws[]): Promise<(Uint16Array | undefined)[]>
}

/** The bytes; `none`: there are none; `missing`; or the place of bytes that do not match. */
type Looked = Uint16Array | 'none' | 'missing' | { mismatch: Place }
interface Place {
  key: string
  at: number
}

export function createRawVectors({
  store,
  logger
}: {
  store: ObjectStore
  logger: Logger
}): RawVectors {
  const packed = new PackedRaws(store)
  const told = new LRUCache<string, true>({ max: mostTold })

  async function look(base: BaseRef | null, { raws, rows }: ItemWithRaws): Promise<Looked> {
    if (raws === undefined) return 'none'
    const { arrival, dim, sum } = raws
    const place =
      base === null || arrival === undefined ? undefined : await packed.find(base, arrival)
    if (place === null) return 'none'
    let looked: Looked = 'missing'
    for (const { key, at } of place === undefined ? [raws] : [place, raws]) {
      const body = await store.getRange(key, at, 2 * rows.length * dim)
      if (body === undefined) continue
      // A copy at offset 0: numbers of two bytes need alignment.
      if (rawSum(body) === sum) return new Uint16Array(new Uint8Array(body).buffer)
      if (looked === 'missing') looked = { mismatch: { key, at } }
    }
    return looked
  }

  async function lookAtAll(base: BaseRef | null, items: readonly ItemWithRaws[]) {
    const all: Looked[] = []
    for await (const looked of mapInOrder(items, readsAtOnce, (item) => look(base, item)))
      all.push(looked)
    return all
  }

  /** Throws data_corrupt. */
  function answerOf(
    looked: Looked,
    collectionId: string,
    item: ItemWithRaws
  ): Uint16Array | undefined {
    if (looked instanceof Uint16Array) return looked
    if (looked === 'missing') tell(collectionId, item)
    if (typeof looked === 'string') return undefined
    const { key, at } = looked.mismatch
    throw appError(
      'data_corrupt',
      `${key}: the raw vectors from byte ${at} do not match their checksum`
    )
  }

  function tell(collectionId: string, { id, raws }: ItemWithRaws): void {
    const { key, arrival } = raws as RawPlace
    if (told.has(key)) return
    told.set(key, true)
    logger.warn({ collectionId, key, arrival, id }, 'the raw vectors of items are missing')
  }

  return {
    async read(collectionId, items) {
      const base = packed.known(collectionId)
      const found = await lookAtAll(base, items)
      const again = [...items.keys()].filter(
        (i) => isUnresolved(found[i]!) && items[i]!.raws?.arrival !== undefined
      )
      // What replaces an object is committed before it is deleted. So one read of CURRENT that
      // begins after it was missed is enough.
      const newer = again.length === 0 ? base : await packed.committed(collectionId)
      if (newer?.key !== base?.key) {
        const missed = again.map((i) => items[i]!)
        for (const [at, looked] of (await lookAtAll(newer, missed)).entries())
          found[again[at]!] = looked
      }
      return found.map((looked, i) => answerOf(looked, collectionId, items[i]!))
    }
  }
}

const isUnresolved = (looked: Looked): boolean =>
  looked === 'missing' || (typeof looked === 'object' && 'mismatch' in looked)
