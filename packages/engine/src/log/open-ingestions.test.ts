// Tests the order of open ingestions, and what a commit has to write.
import { expect, test } from 'vitest'
import type { IngestionRecord } from '../state/job-record.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import type { NamedIngestion } from './open-ingestion.ts'
import { OpenIngestions } from './open-ingestions.ts'

const named = (revision: number, completedSeq: number | null = null): NamedIngestion => ({
  ingestion: `i${revision}`,
  open: { record: recordOf(revision, completedSeq), done: new OrdinalRanges(), failed: [] }
})
const recordOf = (revision: number, completedSeq: number | null): IngestionRecord => ({
  ingestion: `i${revision}`,
  revision,
  total: 1,
  partSize: 200,
  done: '',
  indexed: 0,
  superseded: 0,
  failed: 0,
  failures: [],
  completedSeq,
  completedAtMs: completedSeq
})
const revisions = (set: OpenIngestions, after = 0): number[] =>
  [...set.openAfter(after)].map(({ open }) => open.record.revision)

/** Completes an ingestion, as a commit does, then removes it. */
function end(set: OpenIngestions, revision: number): void {
  set.change(`i${revision}`)
  set.adopt(new Map([[`i${revision}`, recordOf(revision, 1)]]))
  set.drop(`i${revision}`)
}

test('the oldest one moves over those that are complete, and back to one that comes late', () => {
  const set = new OpenIngestions([named(3), named(1, 7), named(2)])
  expect([set.oldest, revisions(set), set.unwritten]).toEqual([2, [2, 3], ['i1']])
  end(set, 2)
  expect(set.oldest).toBe(3)
  end(set, 3)
  expect(set.oldest).toBe(Infinity)
  set.add('i9', named(9).open)
  set.adopt(new Map([['i9', recordOf(9, null)]]))
  expect(set.oldest).toBe(9)
  set.add('i5', named(5).open)
  expect([set.oldest, revisions(set), revisions(set, 5)]).toEqual([5, [5, 9], [9]])
})

test('a commit writes what has changed, and not those whose result is written', () => {
  const set = new OpenIngestions([named(1), named(2), named(3)])
  expect([...set.changes()]).toEqual([])
  set.change('i2')
  set.add('i4', named(4).open)
  expect([...set.changes()].map(([id]) => id)).toEqual(['i2', 'i4'])
  set.adopt(
    new Map([
      ['i2', recordOf(2, 5)],
      ['i4', recordOf(4, null)]
    ])
  )
  expect([[...set.changes()], set.unwritten, set.has('i2')]).toEqual([[], ['i2'], true])
  set.drop('i2')
  expect([set.unwritten, [...set.changes()]]).toEqual([[], []])
  expect([set.has('i2'), set.size, revisions(set)]).toEqual([false, 3, [1, 3, 4]])
})

test('behind one that stays open, thousands come and go without a trace', () => {
  const set = new OpenIngestions([named(1)])
  for (let revision = 2; revision < 5_000; revision++) {
    set.add(`i${revision}`, named(revision).open)
    end(set, revision)
  }
  expect([set.oldest, set.size, [...set].length]).toEqual([1, 1, 1])
  expect((set as unknown as { order: unknown[] }).order.length).toBeLessThan(2_000)
})
