// Clients that send upserts, deletes, new adds and payload updates of a few hot items through any
// API process. Without an answer, the operation may have happened or not.
import { createVersionReader } from '@likeness/engine/testing/internals'
import type { Operation } from '@likeness/shared/contract/operation'
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import { type ApiProcess, type Appended, pickApi } from './api-process.ts'
import { writeSupplied } from './given-vectors.ts'
import { embeddings, labelOf, linesOf, planIngestion } from './ingestion-plan.ts'
import { checkFound } from './searches.ts'
import type { Truth } from './truth.ts'
import { Violation } from './violation.ts'
import { loop, type Machine, unlessUnavailable, type World } from './world.ts'

const answerWithinMs = 6_000
const commitWithinMs = 4_000
const pollMs = 40

export interface ClientDeps {
  world: World
  apis: readonly ApiProcess[]
  /** Acknowledged jobs, for the readers that watch them. */
  acknowledgedJobs: { ingestion: string; truth: Truth }[]
  nextNumber: () => number
}

async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | undefined> {
  // The loser of the race may still reject. The API process handles this error.
  work.catch(() => undefined)
  return await Promise.race([work, clock.sleep(ms).then(() => undefined)])
}

/** Returns undefined without an answer, or after an error that does not tell the result. */
async function send(
  { world, apis }: ClientDeps,
  { process }: Machine,
  truth: Truth,
  operation: Operation
): Promise<Appended | undefined> {
  const floor = truth.highestAcked
  const wasDropped = truth.isDropped
  // Without an idempotency key a request is never sent again.
  const isKeyed = world.random.chance(0.6)
  let tailSlot: number | undefined
  for (;;) {
    const api = pickApi(world, apis)
    const appended = await within(
      process.clock,
      answerWithinMs,
      unlessUnavailable(async () => {
        // The tail is reserved once, before any append. An attempt that stalled here continues with
        // the tail that another attempt reserved.
        if (isKeyed) {
          const tail = await api.appender.tail(truth.collectionId)
          tailSlot ??= tail
        }
        return await api.accept(truth.collectionId, operation, tailSlot)
      })
    )
    if (appended !== undefined) {
      if (wasDropped)
        throw new Violation(
          'effect',
          `${operation.kind} was acknowledged into a collection that had been dropped`
        )
      truth.acknowledged(operation.opId, appended.revision, floor)
      if (tailSlot !== undefined)
        await checkFound(api, truth, { opId: operation.opId, tailSlot, ...appended })
      return appended
    }
    world.happened.unanswered++
    // Sends the same request again under the same idempotency key, to any process, while the first
    // attempt may still be running.
    if (!isKeyed || !world.random.chance(0.6) || world.draining) return undefined
    world.happened.resent++
  }
}

async function ingest(
  deps: ClientDeps,
  machine: Machine,
  truth: Truth,
  embedding: string
): Promise<void> {
  const { world } = deps
  const { random, settings } = world
  // With many ids, more items are live, in more segments.
  const size = random.chance(settings.hotIds.length > 16 ? 0.6 : 0.15)
    ? 8 + random.below(12)
    : 1 + random.below(4)
  const ids = Array.from({ length: size }, () => random.pick(settings.hotIds))
  const plan = planIngestion(random, {
    ingestion: machine.process.newId(),
    collectionId: truth.collectionId,
    number: deps.nextNumber(),
    ids,
    embedding,
    givenShare: settings.givenShare
  })
  truth.plans.set(plan.ingestion, plan)
  for (const { imageKey } of linesOf(plan)) world.table.put(imageKey!, Buffer.from(imageKey!))
  if (plan.given) await writeSupplied(world, machine, plan)
  const operation = {
    opId: machine.process.newId(),
    atMs: 0,
    kind: 'ingest' as const,
    ingestion: plan.ingestion,
    total: size,
    partSize: 200,
    given: plan.given,
    source: 'simulation',
    ...(plan.inline && { items: linesOf(plan) })
  }
  if ((await send(deps, machine, truth, operation)) !== undefined)
    deps.acknowledgedJobs.push({ ingestion: plan.ingestion, truth })
}

/** Asks to cancel one of the last jobs. It may have ended by then. */
async function cancel(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { random, happened } = deps.world
  const own = deps.acknowledgedJobs.filter((job) => job.truth === truth)
  if (own.length === 0 || truth.mayBeDropped) return
  await send(deps, machine, truth, {
    opId: machine.process.newId(),
    atMs: 0,
    kind: 'cancel',
    revision: truth.revisionOf(random.pick(own.slice(-3)).ingestion)
  })
  happened.cancels++
}

async function remove(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { random, settings } = deps.world
  const ids = [
    ...new Set(Array.from({ length: 1 + random.below(2) }, () => random.pick(settings.hotIds)))
  ]
  const appended = await send(deps, machine, truth, {
    opId: machine.process.newId(),
    atMs: 0,
    kind: 'delete',
    ids
  })
  if (appended === undefined) return
  // A delete is answered after its commit.
  for (let waitedMs = 0; waitedMs < commitWithinMs && !deps.world.draining; waitedMs += pollMs) {
    if (truth.floor.slot >= appended.slot) return truth.deleteAcknowledged(ids, appended.revision)
    await machine.process.clock.sleep(pollMs)
  }
}

async function relabel(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { world } = deps
  const { random, settings } = world
  const ids = [
    ...new Set(Array.from({ length: 1 + random.below(3) }, () => random.pick(settings.hotIds)))
  ]
  await send(deps, machine, truth, {
    opId: machine.process.newId(),
    atMs: 0,
    kind: 'relabel',
    ids,
    label: `relabelled ${deps.nextNumber()}`
  })
  world.happened.relabels++
}

/** Deletes by labels. Some of the labels belong only to items that are not applied yet. */
async function removeWhere(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { random, happened } = deps.world
  const plans = truth.accepted()
  if (plans.length === 0) return
  const labels = Array.from({ length: 2 + random.below(6) }, () => {
    const plan = random.pick(plans.slice(-8))
    return labelOf(plan, random.below(plan.items.length))
  })
  const label = random.chance(0.85) ? { in: labels } : { not: { in: labels } }
  await send(deps, machine, truth, {
    opId: machine.process.newId(),
    atMs: 0,
    kind: 'delete_where',
    filter: { label }
  })
  happened.sweeps++
}

const snapshotNames = ['monday', 'tuesday']

async function keep(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { random, happened } = deps.world
  const kind = random.chance(0.7) ? 'take_snapshot' : 'drop_snapshot'
  await send(deps, machine, truth, {
    opId: machine.process.newId(),
    atMs: 0,
    kind,
    name: random.pick(snapshotNames)
  })
  happened.snapshots++
}

async function restore(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { world } = deps
  const { process, store } = machine
  const name = world.random.pick(snapshotNames)
  try {
    const snapshot = await within(
      process.clock,
      answerWithinMs,
      unlessUnavailable(() => createVersionReader({ store }).findSnapshot(truth.collectionId, name))
    )
    if (snapshot === undefined) return
    await send(deps, machine, truth, {
      opId: process.newId(),
      atMs: 0,
      kind: 'restore',
      name,
      snapshot
    })
    world.happened.restores++
  } catch (error) {
    // The collection was dropped and deleted during the read.
    if (!isAppError(error, 'snapshot_not_found') && !isAppError(error, 'object_not_found'))
      throw error
  }
}

async function compact(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const kind = deps.world.random.chance(0.8) ? 'compact' : 'rebuild'
  await send(deps, machine, truth, { opId: machine.process.newId(), atMs: 0, kind })
  deps.world.happened.compactions++
}

async function configure(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { happened, random } = deps.world
  const settings = random.chance(0.5)
    ? { search_budget: 1 + deps.nextNumber() }
    : { score_thres: random.chance(0.5) ? null : deps.nextNumber() }
  await send(deps, machine, truth, {
    opId: machine.process.newId(),
    atMs: 0,
    kind: 'configure',
    settings
  })
  happened.changedSettings++
}

/** Changes to any of the profiles, also to the current profile. */
async function reproject(deps: ClientDeps, machine: Machine, truth: Truth): Promise<void> {
  const { random } = deps.world
  await send(deps, machine, truth, {
    opId: machine.process.newId(),
    atMs: 0,
    kind: 'reproject',
    embedding: random.pick(embeddings)
  })
}

export async function runClient(deps: ClientDeps, machine: Machine): Promise<void> {
  const { world } = deps
  await loop(world, machine, [50, 600], async () => {
    try {
      const api = world.random.pick(deps.apis)
      const spec = await within(
        machine.process.clock,
        answerWithinMs,
        unlessUnavailable(() => api.catalog.resolve(world.collection))
      )
      if (spec === undefined) return
      const truth = world.truthOf(spec.collectionId)
      await world.random.pick([
        ingest,
        ingest,
        ingest,
        ingest,
        ingest,
        ingest,
        remove,
        remove,
        remove,
        relabel,
        relabel,
        removeWhere,
        removeWhere,
        cancel,
        keep,
        keep,
        restore,
        compact,
        configure,
        reproject
      ])(deps, machine, truth, spec.embedding.version)
    } catch (error) {
      if (!isAppError(error, 'collection_not_found')) throw error
    }
  })
}
