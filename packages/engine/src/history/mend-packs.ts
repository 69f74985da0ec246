// Packs of a base that are read again: those whose batches go next, and one of the older ones, in turn.
// What is damaged in them is taken from segments, without raw vectors: a pack is one of two copies.
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { type Base, packFiles, type PackRef } from '../base/base.ts'
import { type PackBlock, type PackWriter, readBlock, readDirectory } from '../base/pack.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { isLost, readPart, unlessLost } from '../state/read-state.ts'
import type { Manifest } from '../version/manifest.ts'
import type { ArrivalSet } from './arrival-set.ts'
import { arrivalsOfSegments } from './arrivals-of-segments.ts'
import { checkPacks } from './check-packs.ts'
import { arrivalsOfBlock, type FromOrigin } from './pack-arrivals.ts'

interface Mending {
  version: Manifest
  kept: ArrivalSet
  /** A writer for the arrivals of a pack. */
  writerFor: (pack: PackRef) => PackWriter
}
export interface MendedPacks {
  packs: PackRef[]
  /** The first arrival of the older pack that was read. */
  checkedFrom: number
  /** What was found. */
  damage: string | undefined
}

/** Reads the packs of a base again that are due, and makes the damaged ones again. */
export async function mendPacks(
  deps: WorkSource & { files: SegmentFiles },
  { packs, previous, checkedFrom }: Pick<Base, 'packs' | 'previous' | 'checkedFrom'>,
  mending: Mending
): Promise<MendedPacks> {
  const newFrom = (previous?.lastArrival ?? 0) + 1
  const older = packs.filter(({ first }) => first < newFrom)
  // From the newest to the oldest: packs that come meanwhile do not make the turn longer.
  const turn = older.findLast(({ last }) => last < checkedFrom) ?? older.at(-1)
  const mended: MendedPacks = { packs: [], checkedFrom: turn?.first ?? 0, damage: undefined }
  for (const pack of packs) {
    const isDue = pack === turn || pack.first >= newFrom
    const found = isDue ? await damageOf(deps, pack) : undefined
    if (found === undefined) mended.packs.push(pack)
    else {
      mended.damage = found
      mended.packs.push(...(await madeAgain(deps, pack, mending)))
    }
  }
  return mended
}

async function damageOf(
  { store, clock, signal }: WorkSource,
  pack: PackRef
): Promise<string | undefined> {
  for (const file of packFiles(pack))
    try {
      await retryStore(clock, () => readPart(store, file), signal)
    } catch (error) {
      if (!isLost(error)) throw error
      return error.message
    }
  return undefined
}

/** Where the segments lack some of it too, the pack stays as it is. */
async function madeAgain(
  deps: WorkSource & { files: SegmentFiles },
  pack: PackRef,
  { version, kept, writerFor }: Mending
): Promise<PackRef[]> {
  const writer = writerFor(pack)
  const isKept = (arrival: number): boolean => kept.has(arrival)
  try {
    for await (const { origin, arrival } of wholeArrivals(deps, pack, version))
      if (isKept(arrival.arrival)) await writer.add(origin, arrival)
    const packs = await writer.end(pack.last)
    await checkPacks(deps.store, packs, { isKept, after: pack.first - 1, until: pack.last })
    return packs
  } catch (error) {
    if (!isLost(error)) throw error
    return [pack]
  }
}

/** Yields the arrivals of a pack in their order, those of damaged blocks from segments. */
async function* wholeArrivals(
  deps: WorkSource & { files: SegmentFiles },
  pack: PackRef,
  version: Manifest
): AsyncGenerator<FromOrigin> {
  const { store } = deps
  const fromSegments = (first: number, last: number) =>
    arrivalsOfSegments(deps, version, { first, items: last - first + 1 })
  const blocks = await unlessLost(async () => (await readDirectory(store, pack)).blocks)
  if (blocks === undefined) {
    yield* fromSegments(pack.first, pack.last)
    return
  }
  for (const block of blocks) {
    const batch =
      (await unlessLost(() => readBlock(store, pack, block))) ??
      (await unlessLost(() => readBlock(store, { ...pack, raw: null }, block)))
    if (batch === undefined) yield* fromSegments(...rangeOf(pack, block))
    else yield* arrivalsOfBlock(block, batch)
  }
}

function rangeOf({ items }: PackRef, { arrivals }: PackBlock): [first: number, last: number] {
  const [first, last] = [arrivals[0], arrivals.at(-1)]
  if (first === undefined || last === undefined)
    throw appError('data_corrupt', `${items.key} has a block without arrivals`)
  return [first, last]
}
