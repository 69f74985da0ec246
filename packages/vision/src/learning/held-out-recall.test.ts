import { expect, it } from 'vitest'
import {
  isClearlyBetter,
  type Judge,
  judgeByLabels,
  judgeByViews,
  shareOf
} from './held-out-recall.ts'

const answersOf = async (judge: Judge): Promise<boolean[]> =>
  judge.answers(await judge.scores(({ views }) => views))

it('counts the views that find their own reference first, whatever their length', async () => {
  const east = [Float32Array.of(1, 0), Float32Array.of(9, 1), Float32Array.of(0, 1)]
  const north = [Float32Array.of(0, 2), Float32Array.of(0.1, 0.5), Float32Array.of(1, 3)]
  const pictures = [east, north].map((views) => ({ label: null, views }))
  expect(shareOf(await answersOf(judgeByViews(pictures)))).toBe(0.75)
  expect(shareOf(await answersOf(judgeByViews([])))).toBe(0)
})

it('counts the other pictures, not their views, that find one of their label first', async () => {
  const picture = (label: string, ...views: [number, number][]) => ({
    label,
    views: views.map((view) => Float32Array.from(view))
  })
  const gallery = [picture('a', [1, 0], [0, 1]), picture('b', [0, 3]), picture('a', [-1, 0])]
  const asked = [picture('a', [5, 1], [0, 1]), picture('a', [-5, 1]), picture('b', [1, 0])]
  expect(await answersOf(judgeByLabels(gallery, asked))).toEqual([true, true, false])
})

it('is clearly better only where more became right than chance would make of it', () => {
  const answers = (right: number, wrong: number): boolean[] => [
    ...Array<boolean>(right).fill(true),
    ...Array<boolean>(wrong).fill(false)
  ]
  // 4 and 9 of 100 answers became right, and no answer became wrong.
  expect(isClearlyBetter(answers(54, 46), answers(50, 50))).toBe(false)
  expect(isClearlyBetter(answers(59, 41), answers(50, 50))).toBe(true)
  // The same number more, but nearly all answers changed.
  expect(isClearlyBetter(answers(54, 45), answers(45, 54).toReversed())).toBe(false)
  expect(isClearlyBetter(answers(50, 50), answers(50, 50))).toBe(false)
  expect(isClearlyBetter(answers(50, 50), answers(90, 10))).toBe(false)
})
