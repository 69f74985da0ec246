import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Subscription, watchSubscription } from './subscription.ts'

class FakeRedis extends EventEmitter {
  status = 'connecting'
  answers = true
  private readonly waiting: (() => void)[] = []

  ping(): Promise<unknown> {
    return new Promise<void>((resolve) => {
      this.waiting.push(resolve)
      if (this.answers) this.answer()
    })
  }
  answer(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
  connect(): void {
    this.status = 'ready'
    this.emit('ready')
  }
  disconnect(): void {
    this.status = 'reconnecting'
    this.emit('close')
  }
}

let redis: FakeRedis
let subscription: Subscription
let changes: boolean[]
beforeEach(() => {
  vi.useFakeTimers()
  redis = new FakeRedis()
  subscription = watchSubscription(redis)
  changes = []
  subscription.onChange((isTrusted) => void changes.push(isTrusted))
})
afterEach(() => {
  subscription.stop()
  vi.useRealTimers()
})
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

test('trust begins with an answer after the connection, and each new connection begins anew', async () => {
  redis.answers = false
  redis.connect()
  await pass(500)
  expect(subscription.isTrusted()).toBe(false)
  redis.answer()
  await pass(0)
  expect(subscription.isTrusted()).toBe(true)
  redis.disconnect()
  expect(subscription.isTrusted()).toBe(false)
  redis.answers = true
  redis.connect()
  await pass(0)
  expect(changes).toEqual([true, false, true])
})

test('a server that hangs is not trusted, and is again once it answers', async () => {
  redis.connect()
  await pass(0)
  redis.answers = false
  await pass(3_100)
  expect(subscription.isTrusted()).toBe(false)
  redis.answers = true
  redis.answer()
  await pass(0)
  expect(changes).toEqual([true, false, true])
})

test('an answer of the former connection proves nothing about this one', async () => {
  redis.answers = false
  redis.connect()
  await pass(100)
  redis.disconnect()
  redis.answer()
  await pass(0)
  expect(changes).toEqual([])
  redis.connect()
  await pass(100)
  expect(changes).toEqual([])
  redis.answer()
  await pass(0)
  expect(changes).toEqual([true])
})
