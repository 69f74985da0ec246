// Disturbances of processes and collections: stalls and deaths at any await, restarts, dropped and
// recreated collections, and deletion of dropped collections.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { retryStore } from '@likeness/store/retry-store'
import { embedding } from './ingestion-plan.ts'
import { loop, type Machine, type World } from './world.ts'

/** Processes of one kind. Each is replaced when it dies. */
export interface Fleet {
  machines: Machine[]
  replace(index: number): void
}

/**
 * Sets a fuse on a random process from time to time. After this number of awaits the process
 * stalls, or dies and is replaced.
 */
export async function runChaos(
  world: World,
  machine: Machine,
  fleets: readonly Fleet[]
): Promise<void> {
  const { random } = world
  await loop(world, machine, [100, 900], async () => {
    // This does not count as a step of the system.
    world.steps--
    for (const { machines, replace } of fleets)
      machines.forEach(({ process }, index) => process.dead && random.chance(0.4) && replace(index))
    const { process } = random.pick(random.pick(fleets).machines)
    process.setFuse(
      random.below(50),
      random.chance(0.35) ? Infinity : random.between(300, random.pick([2_000, 9_000]))
    )
  })
}

export async function createCollection(world: World, { catalog, process }: Machine): Promise<void> {
  const settings = { seal_threshold: 8, view_sizes: [], subjects: false }
  const options = {
    name: world.collection,
    embedding,
    metric: 'L2' as const,
    method: world.settings.method,
    storage: world.settings.storage,
    settings
  }
  // Not `create`: when the answer to its last step is lost, a second one finds its own collection.
  const spec = await retryStore(process.clock, () => catalog.prepare(options))
  await retryStore(process.clock, () => catalog.publish(spec))
  world.live = spec.collectionId
}

async function sweep({ store, process }: Machine, collectionId: string): Promise<void> {
  await retryStore(process.clock, async () => {
    const { root, current } = collectionKeys(collectionId)
    const keys: string[] = []
    for await (const { key } of store.list(root)) if (key !== current) keys.push(key)
    await store.delete(keys)
  })
}

export async function runDropper(world: World, machine: Machine): Promise<void> {
  const { catalog, process } = machine
  const droppedAtMs = new Map<string, number>()
  await loop(world, machine, [1_500, 5_000], async () => {
    const truth = world.truthOf(world.live)
    truth.mayBeDropped = true
    await retryStore(process.clock, () => catalog.drop(world.collection))
    truth.isDropped = true
    droppedAtMs.set(world.live, process.clock.nowMs())
    world.happened.drops++
    await createCollection(world, machine)
    const { collections } = await retryStore(process.clock, () =>
      catalog.unwanted({ unnamedAfterMs: 60_000 })
    )
    for (const { collectionId } of collections) {
      await sweep(machine, collectionId)
      // As the garbage collector does: not while a first CURRENT may still come late.
      const goneMs = process.clock.nowMs() - (droppedAtMs.get(collectionId) ?? Infinity)
      if (goneMs > world.faults.lateMs && world.random.chance(0.5))
        await retryStore(process.clock, () => catalog.forget(collectionId))
    }
  })
}
