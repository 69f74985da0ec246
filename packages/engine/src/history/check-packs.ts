// Reads packs back that were just written: the batches that they stand for may be deleted by then.
import { countRows } from '@likeness/shared/contract/vector-batch'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { PackRef } from '../base/base.ts'
import { readBlock, readDirectory } from '../base/pack.ts'

export interface Kept {
  /** Whether a version or a snapshot has the arrival. */
  isKept: (arrival: number) => boolean
  /** The packs stand for the arrivals above this one, up to `until`. */
  after: number
  until: number
}

/** Throws data_corrupt when a pack is damaged, or has other arrivals than those that are kept. */
export async function checkPacks(
  store: ObjectStore,
  packs: readonly PackRef[],
  { isKept, after, until }: Kept
): Promise<void> {
  let last = after
  for (const pack of packs) {
    if (pack.first !== last + 1) throw wrong(pack, `begins with arrival ${pack.first}`)
    let rows = 0
    let arrivals = 0
    const { blocks } = await readDirectory(store, pack)
    for (const block of blocks) {
      const { header } = await readBlock(store, pack, block)
      rows += countRows(header.items)
      arrivals += block.arrivals.length
      for (const arrival of block.arrivals) {
        for (let between = last + 1; between < arrival; between++)
          if (isKept(between)) throw wrong(pack, `lacks arrival ${between}`)
        if (arrival <= last || !isKept(arrival)) throw wrong(pack, `holds arrival ${arrival}`)
        last = arrival
      }
    }
    for (let between = last + 1; between <= pack.last; between++)
      if (isKept(between)) throw wrong(pack, `lacks arrival ${between}`)
    if (rows !== pack.rows || arrivals !== pack.arrivals) throw wrong(pack, 'has another size')
    last = pack.last
  }
  for (let between = last + 1; between <= until; between++)
    if (isKept(between)) throw appError('data_corrupt', `no pack has arrival ${between}`)
}

const wrong = ({ items }: PackRef, what: string) =>
  appError('data_corrupt', `${items.key} was written wrongly: it ${what}`)
