// End of a simulation: faults stop, all late events happen, and a new writer opens the collection.
// Then every promise must hold.
import { isDeepStrictEqual } from 'node:util'
import {
  type CollectionWriter,
  createJobs,
  createLogAppender,
  manifestFiles,
  manifestSchema,
  openOrRebuild,
  rebuildCollection
} from '@likeness/engine/testing/internals'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import type { JobStatus } from '@likeness/engine/contract'
import { isAppError } from '@likeness/shared/errors'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { checkLastRequest } from './asked-for.ts'
import type { ClientDeps } from './client.ts'
import { writeBatch, writeShared } from './embed-worker.ts'
import { deleteFolded, filesOfBases, loseBase, undeleted } from './folded.ts'
import { openWriter, writerDeps } from './index-worker.ts'
import type { IngestionPlan } from './ingestion-plan.ts'
import { readAndCheck, type SeenJobs, watchJob } from './readers.ts'
import { checkPictures } from './stored-pictures.ts'
import type { Truth } from './truth.ts'
import type { ReadVersion } from './version-check.ts'
import { Violation } from './violation.ts'
import type { Machine, World } from './world.ts'

/**
 * Rounds of embedding the open ingestions and a step. Each ingestion needs a round. The results are
 * deleted in another round.
 */
const rounds = 12
const mostMerges = 50

async function finishWork(world: World, machine: Machine): Promise<void> {
  const truth = world.truthOf(world.live)
  const writer = await openWriter(world, machine, world.live)
  if (writer === undefined) throw new Violation('progress', 'the collection is gone')
  for (let round = 0; round < rounds; round++) {
    let committed = false
    for (let more = true, list = true; more; list = false) {
      const step = await writer.step({ list })
      committed ||= step.committed
      more = step.more
    }
    while (await writer.reindex());
    const open = [...writer.openAfter(0)]
    if (!committed && open.length === 0) return await cleanUp(world, machine, writer)
    const plans = open.map(({ ingestion }) => truth.plans.get(ingestion)!)
    const version = truth.embedding
    const ranges = new Map<IngestionPlan, [number, number]>()
    for (const plan of plans) {
      if (plan.given) continue
      if (plan.inline) ranges.set(plan, [0, plan.items.length])
      else await writeBatch(machine, plan, [0, plan.items.length], version)
    }
    if (ranges.size > 0) await writeShared(world, machine, truth, { ranges, version })
  }
  const open = [...writer.openAfter(0)].map(({ ingestion }) => truth.plans.get(ingestion)!.number)
  throw new Violation('progress', `still open after ${rounds} rounds: ${open.join()}`)
}

/**
 * Merges until no merge is due. After the retention, the store has only the files that CURRENT
 * names.
 */
async function cleanUp(world: World, machine: Machine, writer: CollectionWriter): Promise<void> {
  await machine.catalog.setListed(writer.spec)
  for (let merges = 0; await writer.merge(); merges++)
    if (merges === mostMerges) throw new Violation('progress', 'merging does not end')
  if (world.random.chance(0.7)) world.happened.folds += (await writer.fold()) ? 1 : 0
  await writer.collectFolded()
  await machine.process.clock.sleep(world.settings.retentionMs + 2_000)
  await writer.collect()
  while (await writer.collectFolded());
  const truth = world.truthOf(world.live)
  const version = (await readAndCheck(world, machine, truth))!
  checkLastRequest(truth, version.manifest)
  await checkPictures(world, machine, version)
  const keys = collectionKeys(world.live)
  const kept = Object.values(version.manifest.snapshots).map(({ manifest }) => manifest)
  const held = kept.flatMap((key) =>
    manifestFiles(decodeObject(manifestSchema, key, world.table.get(key)!.body))
  )
  const named = new Set([
    ...version.pages,
    truth.current!.manifest,
    ...manifestFiles(version.manifest),
    ...kept,
    ...held,
    ...(await filesOfBases(world, version.manifest))
  ])
  const stored = [
    keys.segmentPrefix,
    keys.deletionPrefix,
    keys.sidePrefix,
    keys.manifestPrefix,
    keys.packPrefix,
    keys.basePrefix
  ].flatMap((prefix) => world.table.page(prefix, '', 10_000))
  const leaked = [...stored.filter((key) => !named.has(key)), ...undeleted(world, version.manifest)]
  if (leaked.length > 0) throw new Violation('no-leak', leaked.join(' '))
}

export async function quiesce(
  { world, acknowledgedJobs }: ClientDeps,
  machine: Machine,
  seen: SeenJobs
): Promise<void> {
  await finishWork(world, machine)
  const jobs = createJobs(machine)
  for (const { ingestion, truth: of } of acknowledgedJobs) {
    const state = await lastState(() => watchJob(seen, jobs, of, ingestion))
    const isAsked = !of.isDropped && of.isCancelAsked(of.revisionOf(ingestion))
    if (state === 'cancelled' && isAsked) world.happened.cancelled++
    else if (state !== (of.isDropped ? 'cancelled' : 'completed'))
      throw new Violation(
        'progress',
        `job ${of.plans.get(ingestion)!.number} is ${state} at the end`
      )
  }
  // Rebuilds from the log and the batches alone, which must give the same collection again.
  const truth = world.truthOf(world.live)
  const before = await readAndCheck(world, machine, truth)
  truth.tear()
  if (before !== undefined)
    (world.random.chance(0.5) ? deleteFolded : loseBase)(world, before.manifest)
  if ((await rebuildCollection(writerDeps(world, machine, world.live))) === undefined)
    throw new Violation('progress', 'nothing to rebuild')
  const after = await readAndCheck(world, machine, truth)
  if (!isDeepStrictEqual(after?.items, before?.items))
    throw new Violation('effect', 'rebuilt from its log, the collection is another')
  await loseManifest(world, machine, truth)
  const again = await readAndCheck(world, machine, truth)
  const facts = (version: ReadVersion | undefined) =>
    version && {
      items: version.items,
      snapshots: version.manifest.snapshots,
      settings: version.manifest.spec.settings
    }
  if (!isDeepStrictEqual(facts(again), facts(after)))
    throw new Violation('effect', 'made again without its manifest, the collection is another')
}

/** A job is gone when the log of its collection is deleted: it was cancelled. */
async function lastState(
  watch: () => Promise<JobStatus | undefined>
): Promise<JobStatus['state'] | undefined> {
  try {
    return (await watch())?.state
  } catch (error) {
    if (isAppError(error, 'job_not_found')) return 'cancelled'
    throw error
  }
}

/** Damages the manifest, requests a rebuild, and starts a writer. */
async function loseManifest(world: World, machine: Machine, truth: Truth): Promise<void> {
  const { process, store, catalog } = machine
  world.table.put(truth.current!.manifest, Buffer.from('damaged'))
  await createLogAppender({ store, clock: process.clock }).append(world.live, {
    kind: 'rebuild',
    opId: process.newId(),
    atMs: process.clock.nowMs()
  })
  const created = async () =>
    (await catalog.list()).find(({ collectionId }) => collectionId === world.live)
  if ((await openOrRebuild(writerDeps(world, machine, world.live), created)) === undefined)
    throw new Violation('progress', 'nothing to make again')
}
