import { expect, test } from 'vitest'
import { type Candidate, heirOf, loadOf, planGift, type Share } from './share-plan.ts'

const worker = (workerId: string, load: number, isStopping = false): Candidate => ({
  workerId,
  load,
  isStopping
})
const shares = (...loads: number[]): Share[] =>
  loads.map((load, i) => ({ collectionId: `c${i}`, load }))
const ids = Array.from({ length: 3_000 }, (_, i) => `collection-${i}`)

test('the hash divides in proportion to 1 / (1 + load), and a worker that goes moves only its own', () => {
  const workers = [worker('a', 0), worker('b', 0), worker('c', 1)]
  const before = new Map(ids.map((id) => [id, heirOf(id, workers)!]))
  const won = (name: string) => [...before.values()].filter((heir) => heir === name).length
  for (const [name, part] of [
    ['a', 0.4],
    ['b', 0.4],
    ['c', 0.2]
  ] as const)
    expect(Math.abs(won(name) / ids.length - part)).toBeLessThan(0.03)
  for (const id of ids)
    if (before.get(id) !== 'a') expect(heirOf(id, workers.slice(1))).toBe(before.get(id))
})

test('a worker that stops is no heir', () => {
  expect(heirOf('x', [worker('a', 0, true)])).toBeUndefined()
  expect(heirOf('x', [worker('a', 0, true), worker('b', 9)])).toBe('b')
})

test('nothing is given away up to 1.2 times the mean', () => {
  expect(planGift(worker('a', 6), [worker('b', 4)], shares(1, 1, 1, 1, 1, 1))).toBeUndefined()
  expect(planGift(worker('a', 7), [worker('b', 4)], shares(1, 1, 1, 1, 1, 1, 1))).toBeDefined()
  expect(planGift(worker('a', 9), [], shares(9))).toBeUndefined()
  expect(planGift(worker('a', 9), [worker('b', 0, true)], shares(1, 8))).toBeUndefined()
})

test('the gift is the one that divides best, and never makes the other one as loaded as this one', () => {
  const gift = planGift(worker('a', 12), [worker('b', 0)], shares(1, 5, 6))
  expect(gift).toEqual({ collectionId: 'c2', to: 'b' })
  expect(planGift(worker('a', 10), [worker('b', 0)], shares(10))).toBeUndefined()
  expect(planGift(worker('a', 11), [worker('b', 1)], shares(10, 1))?.collectionId).toBe('c1')
})

test('gifts end, whatever the loads are', () => {
  for (let seed = 1; seed < 30; seed++) {
    const collections = Array.from({ length: 20 }, (_, i) =>
      loadOf(((seed * 7919 * (i + 1)) % 13) ** 6)
    )
    const owned = new Map([
      ['a', shares(...collections)],
      ['b', []],
      ['c', [] as Share[]]
    ])
    const loads = () =>
      [...owned].map(([id, all]) =>
        worker(
          id,
          all.reduce((sum, { load }) => sum + load, 0)
        )
      )
    let moves = 0
    for (let isMoving = true; isMoving; ) {
      isMoving = false
      for (const me of loads()) {
        const now = loads()
        const own = now.find(({ workerId }) => workerId === me.workerId)!
        const others = now.filter(({ workerId }) => workerId !== me.workerId)
        const gift = planGift(own, others, owned.get(me.workerId)!)
        if (gift === undefined) continue
        const mine = owned.get(me.workerId)!
        const at = mine.findIndex(({ collectionId }) => collectionId === gift.collectionId)
        owned.get(gift.to)!.push(...mine.splice(at, 1))
        isMoving = true
        expect(++moves).toBeLessThan(100)
      }
    }
  }
})
