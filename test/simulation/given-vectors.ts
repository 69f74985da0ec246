// Objects that a client with supplied vectors stores before its log entry: item list, batches of
// some items each, and sometimes a damaged batch.
import { encodeItemList } from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { retryStore } from '@likeness/store/retry-store'
import { writeBatch } from './embed-worker.ts'
import { type IngestionPlan, linesOf } from './ingestion-plan.ts'
import type { Machine, World } from './world.ts'

/** Items of damaged batches are planned as failed from then on. */
export async function writeSupplied(
  { random, happened }: World,
  machine: Machine,
  plan: IngestionPlan
): Promise<void> {
  const { store, process } = machine
  const list = collectionKeys(plan.collectionId).itemListPart(plan.ingestion, 0)
  if (!plan.inline)
    await retryStore(process.clock, () => store.put(list, encodeItemList(linesOf(plan))))
  const perBatch = 1 + random.below(4)
  for (let from = 0; from < plan.items.length; from += perBatch) {
    const to = Math.min(plan.items.length, from + perBatch)
    if (!random.chance(0.15)) await writeBatch(machine, plan, [from, to], plan.embedding)
    else {
      const key = collectionKeys(plan.collectionId).batch(plan.ingestion, from, process.newId())
      if (random.chance(0.5))
        await retryStore(process.clock, () => store.put(key, random.bytes(100)))
      for (const item of plan.items.slice(from, to)) item.fails = true
      happened.damagedGiven++
    }
  }
  happened.given++
}
