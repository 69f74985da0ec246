// Tests ten kills that interrupt imports with upserts and deletes (`npm run crash` in small), and
// that possible damage would be counted.
import { expect, test } from 'vitest'
import { compare, emptyTally, type FoundItem, Oracle } from '../../crash/oracle.ts'
import { runCrash } from '../../crash/run-crash.ts'

const items: [string, { seed: number; revision: number; isDeleted: boolean }][] = [
  ['a', { seed: 1, revision: 5, isDeleted: false }],
  ['b', { seed: 2, revision: 6, isDeleted: false }],
  ['gone', { seed: 3, revision: 7, isDeleted: true }]
]
const hashOf = (seed: number): string => `vector ${seed}`
const there = (id: string, seed: number, more: Partial<FoundItem> = {}): FoundItem => ({
  id,
  label: String(seed),
  rows: 1,
  vectorHash: hashOf(seed),
  ...more
})

test.each<[string, FoundItem[], [number, number, number]]>([
  ['nothing wrong', [there('a', 1), there('b', 2)], [0, 0, 0]],
  ['an item is missing', [there('a', 1)], [1, 0, 0]],
  [
    'an item has the vector of another picture',
    [there('a', 1, { vectorHash: hashOf(2) }), there('b', 2)],
    [1, 0, 0]
  ],
  ['an item is there twice', [there('a', 1), there('b', 2), there('a', 1)], [0, 1, 0]],
  ['an item has two rows', [there('a', 1, { rows: 2 }), there('b', 2)], [0, 1, 0]],
  ['a deleted item is there', [there('a', 1), there('b', 2), there('gone', 3)], [0, 0, 1]],
  ['an item nobody sent is there', [there('a', 1), there('b', 2), there('c', 4)], [0, 0, 1]],
  ['a superseded version is there', [there('a', 9), there('b', 2)], [0, 0, 1]]
])('%s: counted', (_, found, [lost, duplicated, resurrected]) => {
  const oracle = new Oracle()
  for (const [id, version] of items) oracle.acknowledged(id, version, version.revision - 1)
  const tally = emptyTally()
  compare(tally, oracle, found, hashOf)
  expect(tally).toMatchObject({ lost, duplicated, resurrected })
})

test('an operation acknowledged with a revision that is not above what was acknowledged before it was sent is refused', () => {
  const oracle = new Oracle()
  oracle.acknowledged('a', { seed: 1, revision: 5, isDeleted: false }, oracle.floor)
  expect(() =>
    oracle.acknowledged('b', { seed: 2, revision: 5, isDeleted: false }, oracle.floor)
  ).toThrow('sent after 5 was')
})

test('ten kills in the middle of imports lose nothing, double nothing and bring nothing back', async () => {
  const lines: string[] = []
  // Three of the first ten blows hit merges.
  const result = await runCrash({
    kills: 10,
    items: 600,
    seed: 2708,
    first: 'disk full',
    say: (line) => void lines.push(line)
  })
  for (const blow of result.notRun) console.log(`NOT RUN  ${blow}`)
  console.log(`struck ${JSON.stringify(result.struck)}, recovery p99 ${result.recoveryP99S} s`)
  expect(result, lines.join('\n')).toMatchObject({
    kills: 10,
    lost: 0,
    duplicated: 0,
    resurrected: 0,
    problems: []
  })
  expect(result.items).toBeGreaterThanOrEqual(600)
  const full = result.struck['disk full']
  expect(result.notRun.length === 1 || (full?.met ?? 0) > 0, lines.join('\n')).toBe(true)
  const onMerges = ['merge process', 'before-merged', 'after-merged', 'owner of a merge'].map(
    (blow) => result.struck[blow]?.met ?? 0
  )
  expect(
    onMerges.reduce((sum, met) => sum + met),
    lines.join('\n')
  ).toBeGreaterThan(0)
})
