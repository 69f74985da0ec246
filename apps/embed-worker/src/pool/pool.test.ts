import { expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { silentLogger } from '@likeness/shared/process/logger'
import type { ItemTask, ThumbnailTask } from '../child-protocol.ts'
import { EndedWhileLoading } from './child-handle.ts'
import { createFakeChild, type FakeChild, fakeModel, letTasksStart } from './fake-child.ts'
import { startPool } from './pool.ts'

const item = (itemId: string): ItemTask => ({
  kind: 'item',
  itemId,
  imageKey: itemId,
  enrolment: enrolmentSchema.parse({ view_sizes: [] }),
  embedding: fakeModel.embedding
})
const query: ThumbnailTask = { kind: 'thumbnail', bytes: new Uint8Array(1), longestSide: 64 }

async function createPool(processes: number) {
  const children: FakeChild[] = []
  const startChild = async () => {
    const child = createFakeChild()
    children.push(child)
    return child
  }
  const pool = await startPool({ startChild, processes, logger: silentLogger() })
  const namesIn = (child: FakeChild) =>
    child.sent.flatMap((message) =>
      message.type === 'task' && message.task.kind === 'item' ? [message.task.itemId] : []
    )
  return { pool, children, namesIn }
}

test('a query goes to a child at once, announced before its bytes, though gallery pictures wait', async () => {
  const { pool, children } = await createPool(1)
  for (let i = 0; i < 20; i++) void pool.run(item(`i${i}`), { priority: 'bulk' })
  void pool.run(query, { priority: 'interactive' })
  await letTasksStart()
  const [child] = children
  expect(child!.sent.filter(({ type }) => type === 'task').length).toBe(7)
  expect(child!.sent.slice(-2).map(({ type }) => type)).toEqual(['expect', 'task'])
})

test('bulk pictures are given some at a time, before a child runs out of them', async () => {
  const { pool, children } = await createPool(1)
  for (let i = 0; i < 20; i++) void pool.run(item(`i${i}`), { priority: 'bulk' })
  await letTasksStart()
  const [child] = children
  const given: number[] = []
  for (let finished = 0; finished < 7; finished++) {
    given.push(child!.taskIds().length)
    child!.finish(child!.taskIds()[finished]!)
    await letTasksStart()
  }
  expect(given).toEqual([6, 9, 9, 9, 12, 12, 12])
})

test('queries go to the child with the fewest of them', async () => {
  const { pool, children } = await createPool(2)
  for (let i = 0; i < 4; i++) void pool.run(query, { priority: 'interactive' })
  await letTasksStart()
  expect(children.map((child) => child.taskIds().length)).toEqual([2, 2])
})

test('small ingestions go before bulk ones when room comes free', async () => {
  const { pool, children, namesIn } = await createPool(1)
  for (let i = 0; i < 10; i++) void pool.run(item(`bulk ${i}`), { priority: 'bulk' })
  for (let i = 0; i < 10; i++) void pool.run(item(`small ${i}`), { priority: 'small' })
  await letTasksStart()
  const [child] = children
  const before = namesIn(child!).length
  for (const id of child!.taskIds().slice(0, 10)) child!.finish(id)
  await letTasksStart()
  expect(namesIn(child!).slice(before, before + 2)).toEqual(['small 8', 'small 9'])
})

test('at the death of a child only what it had touched is suspect, and the rest goes to the next child', async () => {
  const { pool, children, namesIn } = await createPool(1)
  const touched = pool.run(item('touched'), { priority: 'bulk' })
  const untouched = pool.run(item('untouched'), { priority: 'bulk' })
  await letTasksStart()
  const [first] = children
  first!.touch(first!.taskIds()[0]!)
  first!.kill()
  expect(await touched).toEqual({ type: 'died', sole: true })
  await expect.poll(() => children.length).toBe(2)
  await expect.poll(() => namesIn(children[1]!)).toEqual(['untouched'])
  children[1]!.finish(children[1]!.taskIds()[0]!)
  expect(await untouched).toMatchObject({ type: 'done' })
})

test('a picture that shared its child with another one did not have it alone', async () => {
  const { pool, children } = await createPool(1)
  const first = pool.run(item('first'), { priority: 'bulk' })
  const second = pool.run(item('second'), { priority: 'bulk' })
  await letTasksStart()
  const [child] = children
  for (const id of child!.taskIds()) child!.touch(id)
  child!.finish(child!.taskIds()[0]!)
  child!.kill()
  expect(await first).toMatchObject({ type: 'done' })
  expect(await second).toEqual({ type: 'died', sole: false })
})

test('a cancelled task is dropped from the queue, or by the child that has it', async () => {
  const { pool, children } = await createPool(1)
  const controller = new AbortController()
  const tasks = Array.from({ length: 7 }, (_, i) =>
    pool.run(item(`i${i}`), { priority: 'bulk', signal: controller.signal })
  )
  await letTasksStart()
  controller.abort(new Error('nobody waits'))
  const results = await Promise.allSettled(tasks)
  expect(results.map(({ status }) => status)).toEqual(Array(7).fill('rejected'))
  expect(children[0]!.sent.filter(({ type }) => type === 'cancel').length).toBe(6)
  expect(children[0]!.taskIds().length).toBe(6)
})

test('an image is in hand before the child gets it', async () => {
  const { pool, children } = await createPool(1)
  let record!: () => void
  const recorded = new Promise<void>((resolve) => (record = resolve))
  void pool.run(item('i'), { priority: 'bulk', beforeSend: () => recorded })
  await letTasksStart()
  expect(children[0]!.taskIds()).toEqual([])
  record()
  await letTasksStart()
  expect(children[0]!.taskIds().length).toBe(1)
})

test('a pool whose first child cannot load does not start, and says why', async () => {
  const startChild = () => Promise.reject(new Error('no execution provider works: cuda'))
  await expect(startPool({ startChild, processes: 2, logger: silentLogger() })).rejects.toThrow(
    'no execution provider works: cuda'
  )
})

test('a stopped pool refuses what waits and closes its children', async () => {
  const { pool, children } = await createPool(2)
  expect(pool.model).toEqual(fakeModel)
  const tasks = Array.from({ length: 13 }, (_, i) => pool.run(item(`i${i}`), { priority: 'bulk' }))
  const last = expect(tasks[12]).rejects.toMatchObject({ code: 'shutting_down' })
  void Promise.allSettled(tasks)
  await pool.stop()
  await last
  expect(children.map(({ dead }) => dead)).toEqual([true, true])
})

test('a first child that is killed while it loads is started again', async () => {
  let starts = 0
  const startChild = async () => {
    starts += 1
    if (starts < 3) throw new EndedWhileLoading('killed')
    return createFakeChild()
  }
  const pool = await startPool({ startChild, processes: 1, logger: silentLogger() })
  expect([starts, pool.pids.length]).toEqual([3, 1])
  await pool.stop()
})
