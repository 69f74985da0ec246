import { expect, test } from 'vitest'
import type { HitAnswer, SearchAnswer } from '@likeness/shared/contract/http/search'
import { suppressOverlaps } from './recognised-objects.ts'

const object = (
  box: [number, number, number, number] | null,
  score?: number
): SearchAnswer['objects'][number] => ({
  kind: 'subject',
  box,
  class: null,
  detector_score: 1,
  verdict: 'unsure',
  hits: score === undefined ? [] : [{ score } as HitAnswer]
})

test('of recognised objects that overlap the one with the best hit stays, whatever the order', () => {
  const [weak, strong, apart] = [
    object([0, 0, 10, 10], 0.7),
    object([1, 0, 11, 10], 0.9),
    object([50, 50, 60, 60], 0.5)
  ]
  expect(suppressOverlaps([weak, strong, apart], 0.05)).toEqual([strong, apart])
  expect(suppressOverlaps([strong, weak], 0.05)).toEqual([strong])
  expect(suppressOverlaps([weak, strong], 0.9)).toEqual([weak, strong])
})

test('what is covered only by something left out stays', () => {
  const [a, b, c] = [
    object([0, 0, 10, 10], 0.9),
    object([6, 0, 16, 10], 0.8),
    object([12, 0, 22, 10], 0.7)
  ]
  expect(suppressOverlaps([a, b, c], 0.1)).toEqual([a, c])
})

test('objects that nobody recognised, or that have no box, are not in the way of anything', () => {
  const [unknown, known, vector] = [
    object([0, 0, 10, 10]),
    object([0, 0, 10, 10], 0.9),
    object(null, 1)
  ]
  expect(suppressOverlaps([unknown, known, vector], 0)).toEqual([unknown, known, vector])
})
