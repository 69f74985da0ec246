import { expect, test } from 'vitest'
import { createLifecycle } from './lifecycle.ts'
import { silentLogger } from './logger.ts'

test('what was started is stopped newest first, once, and a failure does not keep the rest from stopping', async () => {
  const lifecycle = createLifecycle({ logger: silentLogger() })
  const order: string[] = []
  lifecycle.onStop('store', () => void order.push('store'))
  lifecycle.onStop('server', async () => {
    order.push('server')
    throw new Error('stuck')
  })
  lifecycle.onStop('queue', () => void order.push('queue'))
  expect(await Promise.all([lifecycle.stop(), lifecycle.stop()])).toEqual([['server'], ['server']])
  expect(order).toEqual(['queue', 'server', 'store'])
})
