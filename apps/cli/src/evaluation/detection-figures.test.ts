import { expect, test } from 'vitest'
import type { Box } from '@likeness/shared/contract/embedder'
import { type DetectedPicture, detectionFigures, judgedRecall } from './detection-figures.ts'

const picture = (things: Box[], boxes: Box[], ms = 1): DetectedPicture => ({
  width: 100,
  height: 100,
  things,
  boxes,
  ms
})
const large: Box = [0, 0, 50, 50]
const middle: Box = [60, 60, 80, 80]
const small: Box = [90, 90, 99, 99]

test('a thing is found from an IoU of .5 on, whichever box shows it, and counts by its part of the picture', () => {
  const half: Box = [0, 0, 50, 25]
  const less: Box = [60, 60, 80, 69]
  expect(
    detectionFigures([
      picture([large, middle, small], [less, half], 30),
      picture([small, small], [small], 10),
      picture([large], [], 20)
    ])
  ).toEqual({
    pictures: 3,
    things: 6,
    recall: 3 / 6,
    recallOver2: 1 / 3,
    recallOver5: 1 / 2,
    largestFound: 2 / 3,
    bestBoxReal: 1 / 3,
    msPerPicture: 20
  })
})

test('the best box counts alone, and a part of exactly 2 or 5 % is not over it', () => {
  const five: Box = [0, 0, 50, 10]
  const two: Box = [0, 0, 20, 10]
  const seen = detectionFigures([picture([five, two], [middle, five, two])])
  expect(seen).toMatchObject({ recall: 1, recallOver2: 1, recallOver5: null, bestBoxReal: 0 })
  expect(detectionFigures([picture([two], [two])]).recallOver2).toBeNull()
})

test('the recall to judge by is that of large things, of all where none is large, and none without things', () => {
  const figures = detectionFigures([picture([large, small], [large])])
  expect(judgedRecall(figures)).toBe(1)
  expect(judgedRecall(detectionFigures([picture([small, middle], [small])]))).toBe(0.5)
  expect(judgedRecall(detectionFigures([]))).toBeNull()
})
