// Packs of a fold: one with what came since the last fold, and old ones that are written again, with
// less of what is dead.
import { mapInOrder } from '@likeness/shared/data/concurrency'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ArrivalSet } from './arrival-set.ts'
import { packFiles, type PackRef } from '../base/base.ts'
import { type PackBlock, readBlock, readDirectory } from '../base/pack.ts'
import { arrivalsOfBlock, type FromOrigin } from './pack-arrivals.ts'

/** Share of the bytes of all packs that may be dead. */
const mostDead = 0.2
/** Packs that are written again in one fold, and the bytes that they have together. */
const packsAtOnce = 8
/** So many small packs beside each other are joined. */
const smallPacks = 8
const blocksAhead = 4

export interface RewriteShape {
  /** Bytes after which a pack ends. A pack of a quarter is small. */
  packBytes: number
}
/** Places of packs: from `from`, before `to`. */
export interface PackRange {
  from: number
  to: number
}

const bytesOf = (pack: PackRef): number =>
  packFiles(pack).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** Returns the packs to write again; undefined when that is not worth its cost. */
export function packsToRewrite(
  packs: readonly PackRef[],
  kept: ArrivalSet,
  { packBytes }: RewriteShape
): PackRange | undefined {
  const measured = packs.map((pack) => {
    const bytes = bytesOf(pack)
    const alive = kept.countBetween(pack.first, pack.last) / Math.max(1, pack.arrivals)
    return { bytes, deadBytes: bytes * (1 - alive) }
  })
  const sum = (of: (one: (typeof measured)[number]) => number): number =>
    measured.reduce((total, one) => total + of(one), 0)
  const mostBytes = 4 * packBytes
  if (sum(({ deadBytes }) => deadBytes) > mostDead * sum(({ bytes }) => bytes)) {
    const deadest = measured.reduce(
      (worst, { deadBytes }, at) => (deadBytes > measured[worst]!.deadBytes ? at : worst),
      0
    )
    return around(measured, deadest, mostBytes)
  }
  for (let to = measured.length; to >= smallPacks; to--) {
    const run = measured.slice(to - smallPacks, to)
    if (run.every(({ bytes }) => bytes < packBytes / 4)) return { from: to - smallPacks, to }
  }
  return undefined
}

/** A pack with the neighbours that have dead arrivals too, as long as they are few. */
function around(
  measured: readonly { bytes: number; deadBytes: number }[],
  place: number,
  mostBytes: number
): PackRange {
  const range = { from: place, to: place + 1 }
  let { bytes } = measured[place]!
  const takes = (at: number): boolean => {
    const one = measured[at]
    if (one === undefined || one.deadBytes <= (mostDead / 2) * one.bytes) return false
    if (range.to - range.from >= packsAtOnce || bytes + one.bytes > mostBytes) return false
    bytes += one.bytes
    return true
  }
  while (takes(range.to)) range.to++
  while (takes(range.from - 1)) range.from--
  return range
}

/** Yields the arrivals of packs in their order, as they came. Throws data_corrupt, object_not_found. */
export async function* arrivalsOfPacks(
  store: ObjectStore,
  packs: readonly PackRef[]
): AsyncGenerator<FromOrigin> {
  for (const pack of packs) {
    const { blocks } = await readDirectory(store, pack)
    const read = async (block: PackBlock) => ({ block, batch: await readBlock(store, pack, block) })
    for await (const { block, batch } of mapInOrder(blocks, blocksAhead, read))
      yield* arrivalsOfBlock(block, batch)
  }
}
