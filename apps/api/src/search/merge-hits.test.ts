import { expect, test } from 'vitest'
import type { HitAnswer } from '@likeness/shared/contract/http/search'
import { mergeHits } from './merge-hits.ts'

const hit = (id: string, score: number): HitAnswer => ({
  id,
  score,
  confidence: null,
  label: null,
  metadata: {},
  distance: score,
  metric: 'IP',
  box: [0, 0, 1, 1],
  image: '',
  thumbnail: ''
})
const brief = (hits: HitAnswer[]) => hits.map(({ id, score }) => [id, score])

test('an item found by several objects counts once, with its best score, whichever object found it', () => {
  expect(
    brief(
      mergeHits(
        [
          [hit('a', 0.9), hit('b', 0.5)],
          [hit('b', 0.95), hit('a', 0.2), hit('c', 0.1)]
        ],
        2
      )
    )
  ).toEqual([
    ['b', 0.95],
    ['a', 0.9]
  ])
  expect(mergeHits([[], []], 5)).toEqual([])
})
