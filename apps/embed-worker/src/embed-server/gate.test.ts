import { expect, test } from 'vitest'
import { createGate } from './gate.ts'

test('the gate bounds requests and the bytes of their bodies', () => {
  const gate = createGate({ most: 3, mostBytes: 100 })
  const leave = gate.enter(60)
  expect(() => gate.enter(41)).toThrow(
    expect.objectContaining({ code: 'overloaded', retryAfterS: 1 }) as Error
  )
  gate.enter(20)
  gate.enter(0)
  expect(() => gate.enter(0)).toThrow('at most 3')
  leave()
  leave()
  gate.enter(80)
  expect(() => gate.enter(0)).toThrow('at most 3')
})

test('a body of any size gets in alone', () => {
  const gate = createGate({ most: 3, mostBytes: 100 })
  const leave = gate.enter(1000)
  expect(() => gate.enter(1)).toThrow(expect.objectContaining({ code: 'overloaded' }) as Error)
  leave()
  gate.enter(1)
})
