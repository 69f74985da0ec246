import { expect, test } from 'vitest'
import type { Subject } from '@likeness/vision'
import { chooseSubjects } from './choose-subjects.ts'

const picture = { width: 100, height: 100 }
const subject = (
  className: string,
  box: [number, number, number, number],
  score = 0.5
): Subject => ({ box, score, classId: 0, className, raw: new Float32Array(0) })
const options = { classes: [], without_classes: [], which: 'all' as const, most: 5 }
const names = (subjects: Subject[]): string[] => subjects.map(({ className }) => className)

test('only classes that count are left, best first, no more than are wanted', () => {
  const street = [
    subject('person', [0, 0, 90, 90], 0.9),
    subject('car', [0, 0, 9, 9], 0.8),
    subject('bus', [0, 0, 9, 9], 0.7),
    subject('car', [0, 0, 9, 9], 0.6)
  ]
  expect(names(chooseSubjects(street, picture, options))).toEqual(['person', 'car', 'bus', 'car'])
  expect(
    names(chooseSubjects(street, picture, { ...options, classes: ['car', 'bus', 'tram'], most: 2 }))
  ).toEqual(['car', 'bus'])
  expect(
    names(chooseSubjects(street, picture, { ...options, without_classes: ['person'] }))
  ).toEqual(['car', 'bus', 'car'])
  expect(chooseSubjects(street, picture, { ...options, classes: ['logo'] })).toEqual([])
})

test('the main subject is large, in the middle and sure; none of the three decides alone', () => {
  const main = (...subjects: Subject[]) =>
    names(chooseSubjects(subjects, picture, { ...options, which: 'main' }))
  expect(main(subject('small', [45, 45, 55, 55]), subject('large', [20, 20, 80, 80]))).toEqual([
    'large'
  ])
  expect(main(subject('aside', [0, 0, 30, 30]), subject('middle', [35, 35, 65, 65]))).toEqual([
    'middle'
  ])
  expect(
    main(subject('sure', [20, 20, 80, 80], 0.9), subject('unsure', [18, 18, 82, 82], 0.3))
  ).toEqual(['sure'])
  expect(
    main(subject('sure but tiny', [48, 48, 52, 52], 0.9), subject('thing', [20, 20, 80, 80], 0.4))
  ).toEqual(['thing'])
  expect(main(subject('only', [0, 0, 2, 2], 0.1))).toEqual(['only'])
})
