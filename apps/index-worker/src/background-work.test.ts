import { expect, test } from 'vitest'
import type { MergeTier } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import { createTroubles } from '@likeness/shared/process/troubles'
import { createBackgroundWork } from './background-work.ts'

/**
 * Answers of each call of `merge`: an error, or whether something was merged. After them no merge
 * is due.
 */
function rig(answers: (boolean | Error)[]) {
  const said: string[] = []
  const asked: MergeTier[] = []
  const stop = new AbortController()
  let nowMs = 0
  const clock: Clock = { nowMs: () => nowMs, sleep: async () => undefined }
  const say = (level: string) => (_: object, message: string) =>
    void said.push(`${level} ${message}`)
  const logger = { info: say('info'), error: say('error') } as unknown as Logger
  const writer = {
    seq: 1,
    spec: { collectionId: 'c' } as CollectionSpec,
    reindex: async () => false,
    fold: async () => false,
    collectFolded: async () => false,
    calibrate: async () => false,
    async merge(tier: MergeTier = 'small') {
      asked.push(tier)
      const answer = tier === 'sealed' ? false : (answers.shift() ?? false)
      if (answer instanceof Error) throw answer
      return answer
    }
  }
  const troubles = createTroubles({ clock, logger })
  const { signal } = stop
  const leave = new AbortController()
  const parts = { writer, clock, logger, troubles, signal, leave: leave.signal }
  const merges = createBackgroundWork(parts)
  return {
    said,
    troubles,
    asked,
    stop,
    merges,
    async turnAt(atMs: number): Promise<number> {
      nowMs = atMs
      const before = asked.filter((tier) => tier === 'small').length
      merges.start()
      await merges.settled()
      return asked.filter((tier) => tier === 'small').length - before
    }
  }
}

const failure = new Error('the merge process ended with SIGKILL')

test('both merge tiers merge until nothing is due', async () => {
  const { turnAt, said, asked } = rig([true, true])
  expect(await turnAt(0)).toBe(3)
  expect(asked).toContain('sealed')
  expect(said).toEqual(['info merged', 'info merged'])
})

test('a merge that fails is tried again after growing pauses, and is a trouble until then', async () => {
  const { turnAt, said, troubles } = rig([failure, failure, failure, true, failure])
  expect(await turnAt(0)).toBe(1)
  expect(await turnAt(999)).toBe(0)
  expect(await turnAt(1_000)).toBe(1)
  expect(await turnAt(2_999)).toBe(0)
  expect(await turnAt(3_000)).toBe(1)
  expect(troubles.list()).toMatchObject([{ code: 'index_failed', sinceMs: 0, collectionId: 'c' }])
  expect(await turnAt(7_000)).toBe(2)
  expect(said).toEqual([
    'error merge failed, trying again',
    'info merged',
    'info works again; before: merge failed, trying again'
  ])
  expect(await turnAt(70_000)).toBe(1)
  expect(troubles.list()).toEqual([])
})

test('a lost ownership ends the owner, and a failure while stopping is no failure', async () => {
  const lost = rig([appError('ownership_lost', 'gone')])
  await lost.turnAt(0)
  expect(() => lost.merges.rethrow()).toThrow('another owner')
  const stopping = rig([failure])
  stopping.merges.start()
  stopping.stop.abort()
  await stopping.merges.settled()
  expect(() => stopping.merges.rethrow()).not.toThrow()
  expect([...lost.said, ...stopping.said]).toEqual([])
})
