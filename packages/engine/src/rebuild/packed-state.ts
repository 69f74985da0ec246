// The state of a collection by a base: the arrivals of a version or of a snapshot, from packs, and
// what waited then for items to come.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { type BatchItem, countRows, type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { copyRows, rowBytes, rowsBetween } from '@likeness/shared/contract/vector-rows'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { retryStore } from '@likeness/store/retry-store'
import { payloadOf, rawPlace } from '../apply/apply-batch.ts'
import { emptyWriterState, linesAt, type WriterState } from '../apply/writer-state.ts'
import { ArrivalSet } from '../history/arrival-set.ts'
import type { Base, PackRef, View } from '../base/base.ts'
import { heldArrivals } from '../history/held-arrivals.ts'
import { decodeLabels, type Labels } from '../history/labels.ts'
import { type PackBlock, readBlock, readDirectory } from '../base/pack.ts'
import { hashName, itemHash } from '../item/item-hash.ts'
import { storedPayload } from '../item/item-payload.ts'
import { embeddedBatch } from '../log/embedded-batch.ts'
import type { WorkSource } from '../log/read-log.ts'
import { newHistory } from '../state/history.ts'
import { readPart } from '../state/read-state.ts'
import { Filling } from './filling.ts'
import type { TakingDeps } from './take-batches.ts'

const blocksAhead = 4

/**
 * Returns the state of the version that the base holds, with its jobs, and without its items.
 */
export async function baseState(
  deps: TakingDeps,
  spec: CollectionSpec,
  base: Base
): Promise<WriterState> {
  const read = () => linesAt(base.state, (ref) => readPart(deps.store, ref))
  return Object.assign(emptyWriterState(spec), {
    ...(await retryStore(deps.clock, read, deps.signal)),
    appliedSlot: base.appliedSlot,
    history: { ...newHistory(), lastArrival: base.lastArrival, restored: base.restored }
  } satisfies Partial<WriterState>)
}

interface Source {
  deps: TakingDeps
  spec: CollectionSpec
  live: ArrivalSet
  labels: Labels
  /** Every item has at least this revision. */
  restored: number
}

/** Takes the arrivals of a view. The last items may stay pending. Throws data_corrupt. */
export async function takePacked(
  deps: TakingDeps,
  state: WriterState,
  { base, view }: { base: Base; view: View },
  write: () => Promise<void>
): Promise<void> {
  const source = await readSource(deps, state.spec, view, base)
  const filling = new Filling(deps, write)
  const turns = new Turns()
  let taken = 0
  for (const pack of base.packs) {
    const read = (block: PackBlock) => readArrivals(source, pack, block)
    for await (const { block, batch } of mapInOrder(
      await blocksOf(source, pack),
      blocksAhead,
      read
    )) {
      await turns.take()
      taken += takeBlock(source, state, { pack, block, batch })
      await filling.add(countRows(batch.header.items), rowBytes(batch.vectors))
    }
  }
  if (taken !== source.live.size)
    throw appError(
      'data_corrupt',
      `the packs of a base have ${taken} of its ${source.live.size} items`
    )
}

async function readSource(
  deps: TakingDeps,
  spec: CollectionSpec,
  { live, labels }: View,
  { restored }: Base
): Promise<Source> {
  const { store, clock, signal } = deps
  const read = async () => ({
    live: ArrivalSet.decode(await readPart(store, live)),
    labels: labels === null ? new Map() : decodeLabels(labels.key, await readPart(store, labels))
  })
  return { deps, spec, restored, ...(await retryStore(clock, read, signal)) }
}

/** The blocks of a pack that have a live arrival. */
async function blocksOf({ deps, live }: Source, pack: PackRef): Promise<PackBlock[]> {
  const { store, clock, signal } = deps
  const { blocks } = await retryStore(clock, () => readDirectory(store, pack), signal)
  return blocks.filter(({ arrivals }) => arrivals.some((arrival) => live.has(arrival)))
}

interface ReadBlock {
  block: PackBlock
  batch: VectorBatch
}

async function readArrivals(
  { deps, spec }: Source,
  pack: PackRef,
  block: PackBlock
): Promise<ReadBlock> {
  const { store, clock, signal } = deps
  const stored = await retryStore(clock, () => readBlock(store, pack, block), signal)
  return { block, batch: await embeddedBatch(deps, spec, stored) }
}

/** Returns the number of items that were taken. */
function takeBlock(
  source: Source,
  state: WriterState,
  { pack, block, batch }: ReadBlock & { pack: PackRef }
): number {
  const { header, vectors } = batch
  const { live, labels, restored } = source
  let row = 0
  let taken = 0
  for (const [at, item] of header.items.entries()) {
    const first = row
    // An item that an embedding has refused has no rows by now.
    row += item.rows.length
    const arrival = block.arrivals[at]!
    if (!live.has(arrival)) continue
    if (item.failure !== undefined) throw lost(item)
    const hash = itemHash(item.id)
    const raws = rawPlace({ key: pack.raw?.key ?? '', arrival }, batch, first, row)
    state.pending.set(hashName(hash), {
      hash,
      version: {
        revision: Math.max(block.revisions[at]!, restored),
        ordinal: item.ordinal
      },
      arrival,
      ...storedPayload({ ...payloadOf(item, raws), ...labels.get(arrival) }),
      vectors: copyRows(rowsBetween(vectors, header.dim, first, row))
    })
    taken++
  }
  return taken
}

const lost = ({ id, failure }: BatchItem) =>
  appError('data_corrupt', `item ${JSON.stringify(id)} cannot be made again: ${failure?.message}`)

/**
 * Whether an item that is live in the base, or in one of its snapshots, has no raw vectors: its
 * vectors were given.
 */
export async function lacksRaws(
  { store, clock, signal }: WorkSource,
  base: Base
): Promise<boolean> {
  const read = () => heldArrivals(base, (file) => readPart(store, file))
  const held = await retryStore(clock, read, signal)
  for (const pack of base.packs) {
    const { blocks } = await retryStore(clock, () => readDirectory(store, pack), signal)
    for (const { rawDim, arrivals } of blocks)
      if ((rawDim === 0 || pack.raw === null) && arrivals.some((one) => held.has(one))) return true
  }
  return false
}
