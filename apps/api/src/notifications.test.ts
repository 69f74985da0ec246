import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Catalog } from '@likeness/engine/catalog-contract'
import type { Replica } from '@likeness/engine/contract'
import { silentLogger } from '@likeness/shared/process/logger'
import { createNotifications, listenForNotifications } from './notifications.ts'

test("hints are published, and a Redis that is away is nobody's problem", async () => {
  const sent: [string, string][] = []
  let away = false
  const publisher = {
    publish: async (channel: string, message: string) => {
      if (away) throw new Error('away')
      sent.push([channel, message])
    }
  }
  const notifications = createNotifications({ publisher, logger: silentLogger() })
  notifications.work({ collectionId: 'i', slot: 3 })
  notifications.catalog('marks')
  away = true
  notifications.work({ collectionId: 'i' })
  await new Promise((resolve) => setImmediate(resolve))
  expect(sent).toEqual([
    ['likeness:work', '{"incarnation":"i","slot":3}'],
    ['likeness:catalog', '{"name":"marks"}']
  ])
})

test('commits reach the replica, changed names the catalogue, workers are heard, rubbish reaches nobody', () => {
  const subscriber = Object.assign(new EventEmitter(), { subscribe: async () => {} })
  const seen: unknown[] = []
  const replica = {
    notify: (...notification: unknown[]) => void seen.push(notification)
  } as unknown as Replica
  const catalog = { invalidate: () => void seen.push('invalidate') } as unknown as Catalog
  const hear = (text: string) => void seen.push(text)
  listenForNotifications({ subscriber, replica, catalog, logger: silentLogger(), hear })
  subscriber.emit('message', 'likeness:committed', '{"incarnation":"i","seq":4}')
  subscriber.emit('message', 'likeness:committed', '{"seq":')
  subscriber.emit('message', 'likeness:catalog', 'anything')
  subscriber.emit('message', 'likeness:presence', 'I live')
  expect(seen).toEqual([['i', 4], 'invalidate', 'I live'])
})
