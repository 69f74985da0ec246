// Worlds of several index-workers, and what must hold in them.
import { expect } from 'vitest'
import { createWorld, leaseMs, type World } from './worker-world.ts'

export const minute = 60_000
/** A review and the step of a writer: the pause of commits where a notification is lost. */
export const reviewMs = leaseMs / 4 + 200

export function worldOf(count: number): World {
  const world = createWorld()
  for (let i = 0; i < count; i++) world.add(`c${i}`)
  return world
}
export const counts = (world: World): Record<string, number> => {
  const found: Record<string, number> = {}
  for (const owners of Object.values(world.owners()))
    for (const owner of owners) found[owner] = (found[owner] ?? 0) + 1
  return found
}
export const expectOneOwnerEach = (world: World): void => {
  for (const owners of Object.values(world.owners())) expect(owners).toHaveLength(1)
}
export const expectPauseBelow = (world: World, ms: number, fromMs: number): void => {
  for (const id of world.stored.keys()) expect(world.longestPauseMs(id, fromMs)).toBeLessThan(ms)
}

/** One collection that `a` owns, big enough to be given to `b`, and a second one that stays. */
export async function offered() {
  const world = worldOf(2)
  const a = world.start('a')
  await world.pass(1_000)
  const b = world.start('b')
  return { world, a, b, fromMs: world.clock.nowMs() }
}
