import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Subscription, subscribeTo } from './subscription.ts'

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
  /** Connections on which the channels are subscribed. */
  subscribed: string[][] = []
  refuses = false
  async subscribe(...channels: string[]): Promise<void> {
    if (this.status !== 'ready' || this.refuses) throw new Error('not now')
    this.subscribed.push(channels)
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
  subscription = subscribeTo(redis, ['a', 'b'])
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

test('channels are subscribed on each connection, once it is ready, and again after a refusal', async () => {
  await pass(5_000)
  expect(redis.subscribed).toEqual([])
  redis.refuses = true
  redis.connect()
  await pass(2_500)
  expect([redis.subscribed, changes]).toEqual([[], []])
  redis.refuses = false
  await pass(1_000)
  expect([redis.subscribed, changes]).toEqual([[['a', 'b']], [true]])
  await pass(10_000)
  expect(redis.subscribed).toHaveLength(1)
  redis.disconnect()
  redis.connect()
  await pass(0)
  expect([redis.subscribed.length, changes]).toEqual([2, [true, false, true]])
})
