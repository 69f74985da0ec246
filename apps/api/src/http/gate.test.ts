import { expect, test } from 'vitest'
import { createGate } from './gate.ts'

const staying = new AbortController().signal
const refused = expect.objectContaining({ code: 'overloaded', retryAfterS: 1 })

test('so many run, so many wait in order, and the next one is refused at once', async () => {
  const gate = createGate('searches', { running: 2, waiting: 2 })
  const running = [await gate.enter(staying), await gate.enter(staying)]
  const order: string[] = []
  const waiting = ['first', 'second'].map(async (name) => {
    const leave = await gate.enter(staying)
    order.push(name)
    leave()
  })
  await expect(gate.enter(staying)).rejects.toEqual(refused)
  running[0]!()
  await Promise.all(waiting)
  expect(order).toEqual(['first', 'second'])
  running[1]!()
  const again = await gate.enter(staying)
  again()
})

test('one that waited too long is refused, and its place goes to the next', async () => {
  const gate = createGate('writes', { running: 1, waitMs: 20 })
  const leave = await gate.enter(staying)
  await expect(gate.enter(staying)).rejects.toEqual(refused)
  leave()
  const next = await gate.enter(staying)
  next()
})

test('a client that leaves the queue takes no place', async () => {
  const gate = createGate('writes', { running: 1 })
  const leave = await gate.enter(staying)
  const client = new AbortController()
  const left = gate.enter(client.signal)
  client.abort()
  await expect(left).rejects.toThrow('the client left')
  leave()
  const next = await gate.enter(staying)
  next()
})

test('leaving twice gives one place back', async () => {
  const gate = createGate('writes', { running: 1, waitMs: 20 })
  const leave = await gate.enter(staying)
  leave()
  leave()
  await gate.enter(staying)
  await expect(gate.enter(staying)).rejects.toEqual(refused)
})
