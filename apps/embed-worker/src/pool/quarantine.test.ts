import { expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { silentLogger } from '@likeness/shared/process/logger'
import type { ItemTask } from '../child-protocol.ts'
import { createFakeChild, type FakeChild, fakeModel, letTasksStart } from './fake-child.ts'
import { createQuarantine } from './quarantine.ts'

const item = (itemId: string): ItemTask => ({
  kind: 'item',
  itemId,
  imageKey: itemId,
  enrolment: enrolmentSchema.parse({ view_sizes: [] }),
  embedding: fakeModel.embedding
})

function create(idleMs = 1_000) {
  const children: FakeChild[] = []
  const startChild = async () => {
    const child = createFakeChild()
    children.push(child)
    return child
  }
  return { children, isolation: createQuarantine({ startChild, logger: silentLogger(), idleMs }) }
}

test('suspects are tried one at a time, the urgent one next', async () => {
  const { children, isolation } = create()
  const outcomes = [
    isolation.run(item('a'), { priority: 'bulk' }),
    isolation.run(item('b'), { priority: 'bulk' }),
    isolation.run(item('q'), { priority: 'interactive' })
  ]
  const order: string[] = []
  for (let i = 0; i < 3; i++) {
    await letTasksStart()
    const tasks = children[0]!.sent.flatMap((message) => (message.type === 'task' ? [message] : []))
    expect(tasks.length).toBe(i + 1)
    order.push((tasks[i]!.task as ItemTask).itemId)
    children[0]!.finish(tasks[i]!.id)
  }
  await Promise.all(outcomes)
  expect(order).toEqual(['a', 'q', 'b'])
  await isolation.stop()
})

test('a death is blamed on a picture only if its child never had another one', async () => {
  const { children, isolation } = create()
  const innocent = isolation.run(item('innocent'), { priority: 'bulk' })
  await letTasksStart()
  children[0]!.touch(1)
  children[0]!.finish(1)
  await innocent
  const second = isolation.run(item('second'), { priority: 'bulk' })
  await letTasksStart()
  children[0]!.touch(2)
  children[0]!.kill()
  expect(await second).toEqual({ type: 'died', sole: false })
  const again = isolation.run(item('second'), { priority: 'bulk' })
  await letTasksStart()
  children[1]!.touch(1)
  children[1]!.kill()
  expect(await again).toEqual({ type: 'died', sole: true })
  await isolation.stop()
})

test('a child killed before it touched the picture is replaced and nothing is counted', async () => {
  const { children, isolation } = create()
  const outcome = isolation.run(item('a'), { priority: 'bulk' })
  await letTasksStart()
  children[0]!.kill()
  await expect.poll(() => children[1]?.taskIds()).toEqual([1])
  children[1]!.finish(1)
  expect(await outcome).toMatchObject({ type: 'done' })
  await isolation.stop()
})

test('a picture given up half-way does not stay beside the next one', async () => {
  const { children, isolation } = create()
  const controller = new AbortController()
  const givenUp = isolation.run(item('a'), { priority: 'bulk', signal: controller.signal })
  await letTasksStart()
  children[0]!.touch(1)
  controller.abort(new Error('too late'))
  await expect(givenUp).rejects.toThrow('too late')
  expect(children[0]!.dead).toBe(true)
  const next = isolation.run(item('b'), { priority: 'bulk' })
  await letTasksStart()
  children[1]!.finish(1)
  expect(await next).toMatchObject({ type: 'done' })
  await isolation.stop()
})

test('an idle isolated child is closed, and the next suspect gets a new one', async () => {
  const { children, isolation } = create(10)
  const first = isolation.run(item('a'), { priority: 'bulk' })
  await letTasksStart()
  children[0]!.finish(1)
  await first
  await expect.poll(() => children[0]!.dead).toBe(true)
  const second = isolation.run(item('b'), { priority: 'bulk' })
  await letTasksStart()
  children[1]!.finish(1)
  expect(await second).toMatchObject({ type: 'done' })
  await isolation.stop()
})
