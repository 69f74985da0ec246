import { expect, test } from 'vitest'
import { mapInOrder } from './concurrency.ts'
import { createSemaphore } from './semaphore.ts'

/** A task that ends when the test decides. */
function createGate() {
  let most = 0
  let running = 0
  const ends: (() => void)[] = []
  return {
    most: () => most,
    running: () => running,
    endAll: () => ends.splice(0).forEach((end) => end()),
    async run<T>(value: T): Promise<T> {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => ends.push(resolve))
      running--
      return value
    }
  }
}

test('a limiter runs no more than its limit and everything in the end, failures included', async () => {
  const gate = createGate()
  const limited = createSemaphore(3).run
  const tasks = Array.from({ length: 10 }, (_, i) =>
    limited(async () => {
      await gate.run(i)
      if (i === 4) throw new Error('four')
      return i
    })
  )
  const settled = Promise.allSettled(tasks)
  for (let i = 0; i < 12; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    gate.endAll()
  }
  expect(
    (await settled).map((result) => (result.status === 'fulfilled' ? result.value : 'failed'))
  ).toEqual([0, 1, 2, 3, 'failed', 5, 6, 7, 8, 9])
  expect(gate.most()).toBe(3)
})

test('results keep the order of the source, whoever is done first', async () => {
  const results = []
  for await (const result of mapInOrder([5, 1, 3, 0], 3, async (ms, index) => {
    await new Promise((resolve) => setTimeout(resolve, ms * 5))
    return `${index}:${ms}`
  }))
    results.push(result)
  expect(results).toEqual(['0:5', '1:1', '2:3', '3:0'])
})

test('after a failure nothing is left running', async () => {
  let running = 0
  const walk = async () => {
    for await (const _ of mapInOrder([1, 2, 3, 4], 4, async (n) => {
      if (n === 1) throw new Error('one')
      running++
      await new Promise((resolve) => setTimeout(resolve, 20))
      running--
    }));
  }
  await expect(walk()).rejects.toThrow('one')
  expect(running).toBe(0)
})

test('amounts together never pass the number of permits, and a larger amount waits to be alone', async () => {
  const room = createSemaphore(100)
  const order: string[] = []
  let held = 0
  let most = 0
  const run = async (name: string, amount: number, urgent = false): Promise<void> => {
    const release = await room.take(urgent, amount)
    held += Math.min(amount, 100)
    most = Math.max(most, held)
    order.push(name)
    await new Promise((resolve) => setImmediate(resolve))
    held -= Math.min(amount, 100)
    release()
    release()
  }
  await Promise.all([
    run('a', 60),
    run('b', 60),
    // Small ones do not overtake: the large one would never come.
    run('huge', 1000),
    run('c', 10),
    run('urgent', 50, true)
  ])
  expect(order).toEqual(['a', 'urgent', 'b', 'huge', 'c'])
  expect(most).toBe(100)
})
