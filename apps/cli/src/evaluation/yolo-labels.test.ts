import { expect, test } from 'vitest'
import { UserError } from '../user-error.ts'
import { labelPathOf, parseYoloLabels } from './yolo-labels.ts'

test('the label file lies under labels where the picture lies under images, else beside it', () => {
  expect(labelPathOf('images/train/a.b.jpg')).toBe('labels/train/a.b.txt')
  expect(labelPathOf('images/images/1.png')).toBe('images/labels/1.txt')
  expect(labelPathOf('x/1.JPG')).toBe('x/1.txt')
})

test('boxes and outlines become boxes inside the picture; blank lines and things without an area do not', () => {
  expect(
    parseYoloLabels(
      '0 0.5 0.5 0.5 0.25\r\n\n 7 0.9 0.5 0.21 1\n3 0.1 0.2 0.3 0.2 0.2 0.6\n1 0.5 0.5 0 0.1\n',
      'a.txt'
    )
  ).toEqual([
    [0.25, 0.375, 0.75, 0.625],
    [0.795, 0, 1, 1],
    [0.1, 0.2, 0.3, 0.6]
  ])
})

test('a line that is neither, or is in pixels, is refused with its number', () => {
  for (const line of ['0 0.5 0.5 0.5', '0 100 100 20 20', 'cup 0.5 0.5 x 0.5', '0 0 0 1 0 1'])
    expect(() => parseYoloLabels(`0 0.5 0.5 0.5 0.5\n${line}`, 'a.txt')).toThrow(/a\.txt:2: /)
  expect(() => parseYoloLabels('0', 'a.txt')).toThrow(UserError)
})
