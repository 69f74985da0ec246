// Hand-overs between index workers. The owner offers the collection and goes on; another worker reads
// it ahead; then the owner ends its step and moves the lease. Each may stall or die in between, and
// what was read ahead may be used much later.
import { type ReadAhead, readAhead } from '@likeness/engine/testing/internals'
import { isAppError } from '@likeness/shared/errors'
import type { Machine, World } from './world.ts'

export const leaseMs = 1_500

/** Called by the owner between two steps. Returns whether the collection is another worker's now. */
export function handOver(world: World, { process }: Machine, collectionId: string): boolean {
  const { offers, leases, random } = world
  const offer = offers.get(collectionId)
  if (offer?.from !== process.name || random.chance(0.02)) {
    if (random.chance(0.2))
      offers.set(collectionId, { from: process.name, to: undefined, isReady: false })
    return false
  }
  if (offer.to === undefined || !offer.isReady) return false
  offers.delete(collectionId)
  if (leases.get(collectionId)?.holder === process.name)
    leases.set(collectionId, { holder: offer.to, untilMs: world.scheduler.nowMs + leaseMs })
  world.happened.handOvers++
  return true
}

/** Takes an offer of another worker, if there is one, and reads the collection ahead. */
export async function takeOffer(
  world: World,
  { process, store, files }: Machine,
  collectionId: string
): Promise<ReadAhead | undefined> {
  const offer = world.offers.get(collectionId)
  if (offer === undefined || offer.to !== undefined || offer.from === process.name) return undefined
  offer.to = process.name
  try {
    const ahead = await readAhead({ store, clock: process.clock, files, collectionId })
    offer.isReady = true
    return ahead
  } catch (error) {
    const mayBeGone = world.truthOf(collectionId).mayBeDropped && isAppError(error, 'data_corrupt')
    if (mayBeGone || isAppError(error, 'object_not_found')) return undefined
    throw error
  }
}
