import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Catalog, Replica } from '@likeness/engine/contract'
import { silentLog } from '@likeness/shared/process/logger'
import { createHints, listenForHints } from './notifications.ts'

test('hints are published, and a Redis that is away is nobody\'s problem', async () => {
  const sent: [string, string][] = []
  let away = false
  const publisher = {
    publish: async (channel: string, message: string) => {
      if (away) throw new Error('away')
      sent.push([channel, message])
    }
  }
  const hints = createHints({ publisher, log: silentLog() })
  hints.work({ incarnation: 'i', slot: 3 })
  hints.catalog('marks')
  away = true
  hints.work({ incarnation: 'i' })
  await new Promise((resolve) => setImmediate(resolve))
  expect(sent).toEqual([['likeness:work', '{"incarnation":"i","slot":3}'], ['likeness:catalog', '{"name":"marks"}']])
})

test('commits reach the replica, changed names the catalogue, rubbish nobody', () => {
  const subscriber = Object.assign(new EventEmitter(), { subscribe: async () => {} })
  const seen: unknown[] = []
  const replica = { hint: (...hint: unknown[]) => void seen.push(hint) } as unknown as Replica
  const catalog = { invalidate: () => void seen.push('invalidate') } as unknown as Catalog
  listenForHints({ subscriber, replica, catalog, log: silentLog() })
  subscriber.emit('message', 'likeness:committed', '{"incarnation":"i","seq":4}')
  subscriber.emit('message', 'likeness:committed', '{"seq":')
  subscriber.emit('message', 'likeness:catalog', 'anything')
  expect(seen).toEqual([['i', 4], 'invalidate'])
})
