import { expect, test } from 'vitest'
import type { Subject } from '../runtime/embed-runs.ts'
import { fromTile, mergeSubjects, tileBoxes } from './tiles.ts'

const picture = { width: 90, height: 60 }
const subject = (box: [number, number, number, number], score = 0.5): Subject => ({
  box,
  score,
  classId: 0,
  className: 'logo',
  raw: new Float32Array(0)
})

test('tiles cover the picture, each half over the next', () => {
  expect(tileBoxes(picture, 2)).toEqual([
    [0, 0, 60, 40],
    [30, 0, 90, 40],
    [0, 20, 60, 60],
    [30, 20, 90, 60]
  ])
  const many = tileBoxes(picture, 8)
  expect(many).toHaveLength(64)
  expect(many.at(-1)!.slice(2)).toEqual([90, 60])
})

test('a subject that a tile cuts off is not one; at the border of the picture it is', () => {
  const tile = { left: 30, top: 20, width: 60, height: 40 }
  expect(fromTile(subject([10, 10, 20, 20]), tile, picture)?.box).toEqual([40, 30, 50, 40])
  expect(fromTile(subject([0, 10, 20, 20]), tile, picture)).toBeUndefined()
  expect(fromTile(subject([10, 0, 20, 20]), tile, picture)).toBeUndefined()
  expect(fromTile(subject([10, 10, 60, 40]), tile, picture)?.box).toEqual([40, 30, 90, 60])
})

test('a subject that was seen twice is answered with its best box', () => {
  const [weak, best, other] = [
    subject([0, 0, 10, 10], 0.4),
    subject([0, 0, 10, 11], 0.8),
    subject([20, 20, 30, 30], 0.6)
  ]
  expect(mergeSubjects([weak, other, best], 5)).toEqual([best, other])
  expect(mergeSubjects([weak, other, best], 1)).toEqual([best])
})
