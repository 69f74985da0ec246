// Embed workers that write batches of accepted ingestions: whole or divided, late, twice, in any
// order, and also for ingestions that finished long ago.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { retryStore } from '@likeness/store/retry-store'
import { embedBatch, embeddings, type IngestionPlan } from './ingestion-plan.ts'
import { loop, type Machine, type World } from './world.ts'

/** Draws ordinals [from, to): the whole chunk, one half, or another range. */
function pickRange({ random }: World, size: number): [number, number] {
  const half = size >> 1
  if (size === 1 || random.chance(0.5)) return [0, size]
  if (random.chance(0.7)) return random.chance(0.5) ? [0, half] : [half, size]
  const from = random.below(size)
  return [from, from + 1 + random.below(size - from)]
}

export async function writeBatch(
  { process, store }: Machine,
  plan: IngestionPlan,
  [from, to]: readonly [number, number],
  version: string
): Promise<string> {
  const ordinals = Array.from({ length: to - from }, (_, i) => from + i)
  const key = collectionKeys(plan.collectionId).batch(plan.ingestion, from, process.newId())
  const body = embedBatch(plan, ordinals, version)
  await retryStore(process.clock, () => store.put(key, body))
  return key
}

function pickPlan(world: World): IngestionPlan | undefined {
  const truths = [...world.truths.values()]
  const { random } = world
  const truth = random.chance(0.9) ? world.truths.get(world.live) : random.pick(truths)
  const accepted = (truth?.accepted() ?? []).filter(({ given }) => !given)
  const open = accepted.filter(({ ingestion }) => !truth!.completedSeq.has(ingestion))
  // Sometimes the ingestion is finished: the worker was away for a long time, or an older queue
  // came back.
  const from = open.length > 0 && random.chance(0.85) ? open : accepted
  return from.length === 0 ? undefined : random.pick(from)
}

export async function runEmbedWorker(world: World, machine: Machine): Promise<void> {
  const { random, notifications } = world
  await loop(world, machine, [20, 300], async () => {
    const plan = pickPlan(world)
    if (plan === undefined) return
    // Version in the job of the worker; jobs may be old.
    const version = random.chance(0.8)
      ? world.truthOf(plan.collectionId).embedding
      : random.pick(embeddings).version
    // Embedding takes time. Other workers may embed the same items meanwhile.
    if (random.chance(0.2)) await machine.process.clock.sleep(random.between(500, 6_000))
    const range = pickRange(world, plan.items.length)
    for (let times = random.chance(0.15) ? 2 : 1; times > 0; times--) {
      const key = await writeBatch(machine, plan, range, version)
      if (random.chance(0.7))
        notifications.set(plan.collectionId, [...(notifications.get(plan.collectionId) ?? []), key])
    }
  })
}
