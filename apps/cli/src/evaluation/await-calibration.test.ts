import { expect, test } from 'vitest'
import type { ApiClient } from '../api/api-client.ts'
import { awaitCalibration } from './await-calibration.ts'

type Collection = Awaited<ReturnType<ApiClient['getCollection']>>
/** Answers one state after the other. */
function api(...states: { items: number; learned: number | null }[]) {
  let asked = 0
  return {
    asked: () => asked,
    getCollection: async () => {
      const { items, learned } = states[Math.min(asked++, states.length - 1)]!
      const calibration = { learned_at: learned === null ? null : '2026', items: learned ?? 0 }
      return { items, calibration } as unknown as Collection
    }
  }
}

test('waits until nearly all items are learned from', async () => {
  const growing = api(
    { items: 100, learned: null },
    { items: 100, learned: 48 },
    { items: 100, learned: 96 }
  )
  expect(await awaitCalibration(growing, 'c')).toBe(true)
  expect(growing.asked()).toBe(3)
})

test('does not wait for what is never learned', async () => {
  const small = api({ items: 20, learned: null })
  expect(await awaitCalibration(small, 'c')).toBe(true)
  expect(small.asked()).toBe(1)
  expect(await awaitCalibration({ getCollection: async () => undefined }, 'c')).toBe(false)
})
