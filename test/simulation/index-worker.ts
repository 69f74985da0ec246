// Index workers. The holder of the lease opens the collection, then steps, merges and collects
// garbage. A worker that has not noticed the loss of its lease does the same.
import {
  type CollectionWriter,
  type MergeTier,
  mergeTiers,
  openCollectionWriter,
  type ReadAhead,
  type WriterDeps
} from '@likeness/engine/testing/internals'
import { isAppError } from '@likeness/shared/errors'
import { silentLogger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import { handOver, leaseMs, takeOffer } from './hand-over.ts'
import { project } from './ingestion-plan.ts'
import { createMergeProcesses } from './merge-process.ts'
import { checkTaken, storedShared } from './taken-batches.ts'
import type { Truth } from './truth.ts'
import { loop, type Machine, type World } from './world.ts'

const logger = silentLogger()

/**
 * Takes the lease; returns whether the process has it now. Leases are in Redis: they can be lost,
 * or held twice by processes that do not check.
 */
function takeLease(world: World, { process }: Machine, collectionId: string): boolean {
  const lease = world.leases.get(collectionId)
  const nowMs = world.scheduler.nowMs
  if (
    lease !== undefined &&
    lease.holder !== process.name &&
    lease.untilMs > nowMs &&
    !world.random.chance(0.06)
  )
    return false
  world.leases.set(collectionId, { holder: process.name, untilMs: nowMs + leaseMs })
  return true
}

export function writerDeps(
  world: World,
  { process, store, files }: Pick<Machine, 'process' | 'store' | 'files'>,
  collectionId: string
): WriterDeps {
  const { protocol, settings } = world
  const truth = world.truthOf(collectionId)
  return {
    store,
    clock: process.clock,
    files,
    logger,
    collectionId,
    protocol,
    retentionMs: settings.retentionMs,
    mergeShape: settings.mergeShape,
    stateShape: settings.stateShape,
    foldShape: settings.foldShape,
    packBytes: settings.packBytes,
    stepBounds: { slotBytes: settings.slotBytes },
    mergeLimitMs: settings.mergeLimitMs,
    rowsPerSegment: settings.mergeShape.mostRows,
    buildMerge: createMergeProcesses(world, process),
    newId: process.newId,
    project: async (raw, _rawDim, { version }) => {
      await process.clock.sleep(world.random.between(0, 3))
      return Float32Array.from(project([...raw], version))
    },
    announce: ({ seq, appliedSlot }) => truth.raiseFloor(seq, appliedSlot)
  }
}

export const openWriter = (
  world: World,
  machine: Machine,
  collectionId: string,
  files = machine.files
): Promise<CollectionWriter | undefined> =>
  openCollectionWriter(writerDeps(world, { ...machine, files }, collectionId))

function takeNotifications({ notifications, random }: World, collectionId: string): string[] {
  const batches = notifications.get(collectionId) ?? []
  notifications.delete(collectionId)
  return random.chance(0.8) ? batches : []
}

/**
 * Throws any error other than the loss of ownership. In a dropped collection any object may be
 * missing.
 */
function mustBeLost(error: unknown, { mayBeDropped }: Truth): void {
  if (!isAppError(error, 'ownership_lost') && !(mayBeDropped && isAppError(error, 'data_corrupt')))
    throw error
}

/** Merge tiers that are merging, and the other work beside the commits. */
type UnderWay = Set<MergeTier | 'embedding' | 'fold' | 'deletion'>

interface Owned {
  writer: CollectionWriter
  collectionId: string
  merging: UnderWay
  /** Whether the last step has left work, maybe a listing. */
  isListing: boolean
}

/** Merges run beside the commits, one at a time in each merge tier. */
function startMerge(world: World, writer: CollectionWriter, merging: UnderWay): void {
  const { happened, random } = world
  const tier = random.pick(mergeTiers)
  if (merging.has(tier)) return
  const truth = world.truthOf(writer.spec.collectionId)
  merging.add(tier)
  const failed = (error: unknown): void => {
    if (isAppError(error, 'index_failed')) happened.mergeFailures++
    else mustBeLost(error, truth)
  }
  const merged = (did: boolean): void => {
    if (did) happened[tier === 'small' ? 'merges' : 'sealedMerges']++
  }
  world.spawn(
    writer
      .merge(tier)
      .then(merged, failed)
      .finally(() => merging.delete(tier))
  )
}

/** Computes another embedding, also beside the commits. Then the catalogue is updated. */
function startReprojection(
  world: World,
  { catalog, process }: Machine,
  writer: CollectionWriter,
  underWay: UnderWay
): void {
  if (underWay.has('embedding')) return
  const { collectionId, embedding } = writer.spec
  underWay.add('embedding')
  const change = async (): Promise<void> => {
    while (await writer.reindex())
      world.happened[
        writer.spec.embedding.version === embedding.version ? 'keptEmbeddings' : 'changedEmbeddings'
      ]++
    await retryStore(process.clock, () => catalog.setListed(writer.spec))
  }
  world.spawn(
    change()
      .catch((error: unknown) => mustBeLost(error, world.truthOf(collectionId)))
      .finally(() => underWay.delete('embedding'))
  )
}

/** Folds the history beside the commits. */
function startFold(world: World, writer: CollectionWriter, underWay: UnderWay): void {
  if (underWay.has('fold')) return
  underWay.add('fold')
  world.spawn(
    writer
      .fold()
      .then((did) => void (world.happened.folds += did ? 1 : 0))
      .catch((error: unknown) => mustBeLost(error, world.truthOf(writer.spec.collectionId)))
      .finally(() => underWay.delete('fold'))
  )
}

/** Deletes what folds stand for, beside the commits. */
function startDeletion(world: World, writer: CollectionWriter, underWay: UnderWay): void {
  if (underWay.has('deletion')) return
  underWay.add('deletion')
  const work = async (): Promise<void> => {
    while (await writer.collectFolded()) world.happened.deletedHistory++
  }
  world.spawn(
    work()
      .catch((error: unknown) => mustBeLost(error, world.truthOf(writer.spec.collectionId)))
      .finally(() => underWay.delete('deletion'))
  )
}

async function act(world: World, machine: Machine, owned: Owned): Promise<void> {
  const { random } = world
  const { writer, merging } = owned
  if (random.chance(0.4)) startReprojection(world, machine, writer, merging)
  if (random.chance(0.6)) startMerge(world, writer, merging)
  const folding = world.settings.foldsAll ? 0.9 : 0.3
  if (random.chance(folding)) startFold(world, writer, merging)
  if (random.chance(folding)) startDeletion(world, writer, merging)
  const draw = random.next()
  if (draw < 0.25) world.happened.collections += await writer.collect()
  else await step(world, owned)
}

async function step(world: World, owned: Owned): Promise<void> {
  const { writer, collectionId, isListing } = owned
  const stored = storedShared(world, collectionId)
  const list = world.random.chance(0.4)
  const batches = takeNotifications(world, collectionId)
  const { more } = await writer.step({ batches, list })
  // A listing that goes on over several steps may have begun before.
  if (list && !isListing && !more) checkTaken(world, writer, stored)
  owned.isListing = more
}

export async function runIndexWorker(world: World, machine: Machine): Promise<void> {
  let owned: Owned | undefined
  let ahead: { collectionId: string; read: ReadAhead } | undefined
  await loop(world, machine, [20, 200], async () => {
    const collectionId = world.live
    const holds = takeLease(world, machine, collectionId)
    if (!holds && (owned === undefined || world.random.chance(0.1))) {
      owned = undefined
      const read = await takeOffer(world, machine, collectionId)
      if (read !== undefined) ahead = { collectionId, read }
      return
    }
    try {
      if (
        owned?.collectionId !== collectionId &&
        (owned === undefined || world.random.chance(0.5))
      ) {
        const files = ahead?.collectionId === collectionId ? ahead.read.files : undefined
        ahead = undefined
        const writer = await openWriter(world, machine, collectionId, files)
        owned = writer && {
          writer,
          collectionId,
          merging: new Set(),
          isListing: false
        }
      }
      if (owned === undefined) return
      await act(world, machine, owned)
      if (handOver(world, machine, owned.collectionId)) owned = undefined
    } catch (error) {
      mustBeLost(error, world.truthOf(owned?.collectionId ?? collectionId))
      world.happened.takeovers++
      owned = undefined
    }
  })
}
