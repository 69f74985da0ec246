import { expect, test } from 'vitest'
import { type Answered, judge, judgeByKind } from './judge.ts'

type Objects = [string, number][][]
const answered = (labels: string[], objects: Objects, kind = 'known'): Answered => ({
  query: { name: 'q', file: 'q.jpg', labels, fields: {}, kind },
  ms: 1,
  objects: objects.map((hits) => ({ hits: hits.map(([label, score]) => ({ label, score })) }))
})

test('a picture of one thing is right when the best hit over all its objects is', () => {
  expect(
    judge([
      answered(
        ['a'],
        [
          [['b', 0.5]],
          [
            ['a', 0.6],
            ['c', 0.1]
          ]
        ]
      )
    ])
  ).toMatchObject({ r1: 1, r5: 1, falseReject: 0, falseAccept: null })
  expect(judge([answered(['a'], [[['b', 0.7]], [['a', 0.6]]])])).toMatchObject({ r1: 0, r5: 1 })
  const five: Objects = [
    [
      ['b', 0.9],
      ['c', 0.8],
      ['d', 0.7],
      ['e', 0.6],
      ['f', 0.5]
    ],
    [['a', 0.4]]
  ]
  expect(judge([answered(['a'], five)])).toMatchObject({ r1: 0, r5: 0 })
})

test('of a picture with several things each label counts, right when some object has it first', () => {
  const numbers = judge([
    answered(
      ['a', 'b', 'c', 'd'],
      [
        [
          ['a', 0.9],
          ['c', 0.8]
        ],
        [['b', 0.3]],
        []
      ]
    )
  ])
  expect(numbers).toMatchObject({ pictures: 1, labels: 4, r1: 0.5, r5: 0.75, falseReject: 0 })
})

test('what the threshold hides is wrong and a false reject; an unknown picture that is answered is a false accept', () => {
  const numbers = judge([
    answered(['a'], [[], []]),
    answered(['a'], []),
    answered([], [[], []]),
    answered([], [[['a', 0.9]]])
  ])
  expect(numbers).toEqual({
    pictures: 4,
    labels: 2,
    r1: 0,
    r5: 0,
    falseReject: 1,
    falseAccept: 0.5
  })
})

test('kinds are judged apart, in the order of their first picture', () => {
  const kinds = judgeByKind([
    answered(['a'], [[['a', 1]]], 'far'),
    answered(['a'], [[['b', 1]]], 'near'),
    answered(['a'], [[['b', 1]]], 'far')
  ])
  expect([...kinds].map(([kind, { r1, labels }]) => [kind, r1, labels])).toEqual([
    ['far', 0.5, 2],
    ['near', 0, 1]
  ])
})
