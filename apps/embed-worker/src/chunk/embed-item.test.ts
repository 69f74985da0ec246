import { expect, test } from 'vitest'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { silentLogger } from '@likeness/shared/process/logger'
import type { Embedded, ItemTask } from '../child-protocol.ts'
import type { InFlight, InFlightRecord } from '../in-flight.ts'
import { fakeModel } from '../pool/fake-child.ts'
import type { RunOptions, TaskOutcome } from '../pool/task.ts'
import { createItemEmbedder } from './embed-item.ts'

const line: ItemListLine = { ordinal: 4, id: 'mark', label: null, imageKey: 'k' }
const task: ItemTask = {
  kind: 'item',
  itemId: 'mark',
  imageKey: 'k',
  enrolment: enrolmentSchema.parse({ view_sizes: [] }),
  embedding: fakeModel.embedding
}
const embedded: Embedded = {
  kind: 'embedded',
  width: 1,
  height: 1,
  rows: [],
  vectors: new Float32Array(0),
  raw: new Uint16Array(0),
  decodeMs: 0,
  inferMs: 0
}
const done: TaskOutcome = { type: 'done', result: embedded }
const died = (sole: boolean): TaskOutcome => ({ type: 'died', sole })

async function embedWith(script: {
  pool?: TaskOutcome[]
  alone?: TaskOutcome[]
  leftover?: InFlight
}) {
  const calls: string[] = []
  const player = (name: string, outcomes: TaskOutcome[] = []) => ({
    async run(_task: ItemTask, { beforeSend }: RunOptions) {
      await beforeSend?.()
      calls.push(name)
      return outcomes.shift() ?? done
    }
  })
  const inHand: InFlightRecord = {
    leftovers: async () => new Map(),
    take: async (ordinal, { alone, deaths }) =>
      void calls.push(`take ${ordinal} ${alone ? 'alone' : 'among others'} ${deaths}`),
    letGo: (ordinal) => void calls.push(`let go ${ordinal}`),
    flush: async () => undefined
  }
  const embedItem = createItemEmbedder({
    pool: player('pool', script.pool),
    isolation: player('alone', script.alone),
    logger: silentLogger()
  })
  const context = {
    priority: 'bulk' as const,
    signal: new AbortController().signal,
    inHand,
    leftover: script.leftover
  }
  const outcome = await embedItem(line, task, context).catch((error: unknown) => error)
  return { outcome, calls }
}

test('an image is recorded in hand before it is touched and let go after', async () => {
  const { outcome, calls } = await embedWith({})
  expect(outcome).toEqual({ embedded })
  expect(calls).toEqual(['take 4 among others 0', 'pool', 'let go 4'])
})

test('an image whose process died among others is tried alone and arrives', async () => {
  const { outcome, calls } = await embedWith({ pool: [died(true)] })
  expect(outcome).toEqual({ embedded })
  expect(calls).toEqual(['take 4 among others 0', 'pool', 'take 4 alone 0', 'alone', 'let go 4'])
})

test('three deaths alone fail the image, two do not', async () => {
  const two = await embedWith({ pool: [died(true)], alone: [died(true), died(true)] })
  expect(two.outcome).toEqual({ embedded })
  const three = await embedWith({ pool: [died(true)], alone: [died(true), died(true), died(true)] })
  expect(three.outcome).toMatchObject({ failure: { code: 'image_kills_worker' } })
  expect(three.calls).toContain('take 4 alone 2')
})

test('a death in a process that had another image before does not count', async () => {
  const { outcome, calls } = await embedWith({
    pool: [died(false)],
    alone: [died(false), died(true), died(false), died(true), died(false)]
  })
  expect(outcome).toEqual({ embedded })
  expect(calls.filter((call) => call === 'alone').length).toBe(6)
})

test('what a dead worker left in hand is tried alone at once, and its deaths go on being counted', async () => {
  const innocent = await embedWith({ leftover: { workerId: 'w', alone: false, deaths: 0 } })
  expect(innocent.calls).toEqual(['take 4 alone 0', 'alone', 'let go 4'])
  expect(innocent.outcome).toEqual({ embedded })
  const suspect = await embedWith({
    leftover: { workerId: 'w', alone: true, deaths: 2 },
    alone: [died(true)]
  })
  expect(suspect.outcome).toMatchObject({ failure: { code: 'image_kills_worker' } })
})

test('a bad picture is a failed item, a failing store is not', async () => {
  const bad = await embedWith({
    pool: [{ type: 'failed', code: 'image_corrupt', message: 'no picture' }]
  })
  expect(bad.outcome).toEqual({ failure: { code: 'image_corrupt', message: 'no picture' } })
  for (const code of ['store_unavailable', 'internal', 'unheard_of']) {
    const world = await embedWith({ pool: [{ type: 'failed', code, message: 'broken' }] })
    expect(world.outcome).toBeInstanceOf(Error)
    expect(world.calls.at(-1)).toBe('let go 4')
  }
})
