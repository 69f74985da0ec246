// Embed workers that write batches of accepted ingestions: whole or divided, alone or shared, late,
// twice, in any order, and also for ingestions that finished long ago.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { sharedBatchId } from '@likeness/shared/contract/shared-batch'
import { retryStore } from '@likeness/store/retry-store'
import { embedBatch, embeddings, embedShared, type IngestionPlan } from './ingestion-plan.ts'
import type { Truth } from './truth.ts'
import { loop, type Machine, type World } from './world.ts'

/** Draws ordinals [from, to): the whole chunk, one half, or another range. */
function pickRange({ random }: World, size: number): [number, number] {
  const half = size >> 1
  if (size === 1 || random.chance(0.5)) return [0, size]
  if (random.chance(0.7)) return random.chance(0.5) ? [0, half] : [half, size]
  const from = random.below(size)
  return [from, from + 1 + random.below(size - from)]
}

const ordinalsOf = ([from, to]: readonly [number, number]): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i)

export async function writeBatch(
  { process, store }: Machine,
  plan: IngestionPlan,
  range: readonly [number, number],
  version: string
): Promise<string> {
  const key = collectionKeys(plan.collectionId).batch(plan.ingestion, range[0], process.newId())
  const body = embedBatch({ plan, ordinals: ordinalsOf(range) }, version)
  await retryStore(process.clock, () => store.put(key, body))
  return key
}

/** Writes items of several ingestions of a collection. */
export async function writeShared(
  { random, happened }: World,
  { process, store }: Machine,
  truth: Truth,
  { ranges, version }: { ranges: ReadonlyMap<IngestionPlan, [number, number]>; version: string }
): Promise<string> {
  const parts = [...ranges].map(([plan, range]) => ({
    plan,
    ordinals: ordinalsOf(range),
    revision: truth.revisionOf(plan.ingestion)
  }))
  const ingestions = parts.map(({ plan }) => plan.ingestion)
  const id = sharedBatchId(process.clock.nowMs(), ingestions, random.bytes(10))
  const key = collectionKeys(truth.collectionId).sharedBatch(id)
  await retryStore(process.clock, () => store.put(key, embedShared(parts, version)))
  happened.sharedBatches++
  return key
}

/** Ingestions that a worker may have a job of. */
function waitingPlans(world: World): { truth: Truth; plans: IngestionPlan[] } | undefined {
  const truths = [...world.truths.values()]
  const { random } = world
  const truth = random.chance(0.9) ? world.truths.get(world.live) : random.pick(truths)
  const accepted = (truth?.accepted() ?? []).filter(({ given }) => !given)
  const open = accepted.filter(({ ingestion }) => !truth!.completedSeq.has(ingestion))
  // Sometimes the ingestion is finished: the worker was away for a long time, or an older queue
  // came back.
  const plans = open.length > 0 && random.chance(0.85) ? open : accepted
  return truth === undefined || plans.length === 0 ? undefined : { truth, plans }
}

export async function runEmbedWorker(world: World, machine: Machine): Promise<void> {
  const { random, notifications } = world
  await loop(world, machine, [20, 300], async () => {
    const waiting = waitingPlans(world)
    if (waiting === undefined) return
    const { truth, plans } = waiting
    const plan = random.pick(plans)
    // Version in the job of the worker; jobs may be old.
    const version = random.chance(0.8)
      ? world.truthOf(plan.collectionId).embedding
      : random.pick(embeddings).version
    // Embedding takes time. Other workers may embed the same items meanwhile.
    if (random.chance(0.2)) await machine.process.clock.sleep(random.between(500, 6_000))
    const others = random.chance(0.4) ? [] : [random.pick(plans), plans.at(-1)!]
    const picked = [plan, ...others.filter(({ inline }) => inline)]
    const ranges = new Map(picked.map((one) => [one, pickRange(world, one.items.length)]))
    for (let times = random.chance(0.15) ? 2 : 1; times > 0; times--) {
      const key = plan.inline
        ? await writeShared(world, machine, truth, { ranges, version })
        : await writeBatch(machine, plan, ranges.get(plan)!, version)
      if (random.chance(0.7))
        notifications.set(plan.collectionId, [...(notifications.get(plan.collectionId) ?? []), key])
    }
  })
}
