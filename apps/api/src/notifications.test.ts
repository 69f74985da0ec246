import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Catalog } from '@likeness/engine/catalog-contract'
import type { Replica } from '@likeness/engine/contract'
import { silentLogger } from '@likeness/shared/process/logger'
import { createNotifications, listenForNotifications, type Notifications } from './notifications.ts'

class FakePublisher extends EventEmitter {
  sent: [string, string][] = []
  isAway = false
  async publish(channel: string, message: string): Promise<void> {
    if (this.isAway) throw new Error('away')
    this.sent.push([channel, message])
  }
}

let publisher: FakePublisher
let notifications: Notifications
beforeEach(() => {
  vi.useFakeTimers()
  publisher = new FakePublisher()
  notifications = createNotifications({ publisher, logger: silentLogger() })
})
afterEach(() => {
  vi.useRealTimers()
})
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test("hints are published, and a Redis that is away is nobody's problem", async () => {
  notifications.work({ collectionId: 'i', slot: 3 })
  notifications.catalog('marks')
  publisher.isAway = true
  notifications.work({ collectionId: 'i' })
  await pass(0)
  expect(publisher.sent).toEqual([
    ['likeness:work', '{"incarnation":"i","slot":3}'],
    ['likeness:catalog', '{"name":"marks"}']
  ])
})

test('what Redis did not take is sent when the connection is back, the newest of each collection', async () => {
  publisher.isAway = true
  notifications.work({ collectionId: 'i', slot: 3 })
  notifications.work({ collectionId: 'i', slot: 4 })
  notifications.work({ collectionId: 'j', slot: 1 })
  await pass(60_000)
  publisher.isAway = false
  publisher.emit('ready')
  await pass(60_000)
  expect(publisher.sent).toEqual([
    ['likeness:work', '{"incarnation":"i","slot":4}'],
    ['likeness:work', '{"incarnation":"j","slot":1}']
  ])
})

test('a work hint is repeated twice, until a commit with its slot is announced', async () => {
  notifications.work({ collectionId: 'i', slot: 3 })
  notifications.work({ collectionId: 'j', slot: 8 })
  await pass(900)
  notifications.applied('i', 3)
  notifications.applied('j', 7)
  notifications.applied('k', 7)
  await pass(200)
  expect(publisher.sent.length).toBe(3)
  expect(publisher.sent[2]).toEqual(['likeness:work', '{"incarnation":"j","slot":8}'])
  await pass(60_000)
  expect(publisher.sent.length).toBe(4)
})

test('the repeated hint names the newest slot', async () => {
  notifications.work({ collectionId: 'i', slot: 4 })
  await pass(500)
  notifications.work({ collectionId: 'i', slot: 3 })
  notifications.applied('i', 3)
  await pass(1_000)
  expect(publisher.sent.at(-1)).toEqual(['likeness:work', '{"incarnation":"i","slot":4}'])
})

test('commits reach the replica, changed names the catalogue, workers are heard, rubbish reaches nobody', () => {
  const subscriber = new EventEmitter()
  const seen: unknown[] = []
  const replica = {
    notify: (...notification: unknown[]) => void seen.push(notification),
    check: (name: string) => void seen.push(`check ${name}`)
  } as unknown as Replica
  const catalog = { invalidate: () => void seen.push('invalidate') } as unknown as Catalog
  const hear = (text: string) => void seen.push(text)
  const applied = (...commit: unknown[]) => void seen.push(commit)
  const logger = silentLogger()
  listenForNotifications({
    subscriber,
    replica,
    catalog,
    notifications: { applied },
    logger,
    hear
  })
  subscriber.emit('message', 'likeness:committed', '{"incarnation":"i","seq":4}')
  subscriber.emit('message', 'likeness:committed', '{"incarnation":"j","seq":5,"appliedSlot":9}')
  subscriber.emit('message', 'likeness:committed', '{"seq":')
  subscriber.emit('message', 'likeness:catalog', 'anything')
  subscriber.emit('message', 'likeness:catalog', '{"name":"marks"}')
  subscriber.emit('message', 'likeness:presence', 'I live')
  expect(seen).toEqual([
    ['i', 4],
    ['j', 5],
    ['j', 9],
    'invalidate',
    'invalidate',
    'check marks',
    'I live'
  ])
})
