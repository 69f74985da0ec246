import { expect, test } from 'vitest'
import { figuresOf, matchCurve, type RankedAnswer } from './ranked-figures.ts'

const answer = (labels: string[], hits: [string, number][], kind = 'known'): RankedAnswer => ({
  labels,
  hits: hits.map(([label, score]) => ({ label, score })),
  confidence: null,
  kind,
  ms: 1
})
const galleryCounts = new Map([
  ['a', 2],
  ['b', 1]
])

test('a right first hit counts at every place, a right third one not at the first', () => {
  const answers = [
    answer(
      ['a'],
      [
        ['a', 0.9],
        ['b', 0.8],
        ['a', 0.7]
      ]
    ),
    answer(
      ['b'],
      [
        ['a', 0.9],
        ['a', 0.8],
        ['b', 0.7]
      ]
    )
  ]
  const figures = figuresOf(answers, { threshold: undefined, galleryCounts })
  expect(figures).toEqual({
    queries: 2,
    known: 2,
    r1: 0.5,
    r5: 1,
    r10: 1,
    map: expect.closeTo(((1 + 2 / 3) / 2 + 1 / 3) / 2, 9) as number,
    falseAccept: null,
    falseReject: 0,
    ece: null
  })
  expect(matchCurve(answers, [1, 2, 3], undefined)).toEqual([0.5, 0.5, 1])
})

test('a hit that the threshold hides is wrong, and an answer without shown hits is a rejection', () => {
  const answers = [answer(['a'], [['a', 0.4]]), answer(['a'], [['a', 0.6]])]
  expect(figuresOf(answers, { threshold: 0.5, galleryCounts })).toMatchObject({
    r1: 0.5,
    r10: 0.5,
    falseReject: 0.5,
    ece: null
  })
})

test('of the unknown those that are answered are false accepts, and they count for nothing else', () => {
  const answers = [answer([], [['a', 0.6]]), answer([], [['b', 0.3]]), answer([], [])]
  expect(figuresOf(answers, { threshold: 0.5, galleryCounts })).toEqual({
    queries: 3,
    known: 0,
    r1: null,
    r5: null,
    r10: null,
    map: null,
    falseAccept: 1 / 3,
    falseReject: null,
    ece: null
  })
  // Nothing is said of how sure they are, so none is called a match.
  expect(figuresOf(answers, { threshold: undefined, galleryCounts }).falseAccept).toBe(0)
})

test('precision is measured against as many right items as could be among the hits', () => {
  expect(
    figuresOf([answer(['a'], [['a', 0.9]])], { threshold: undefined, galleryCounts }).map
  ).toBe(1)
  expect(
    figuresOf(
      [
        answer(
          ['a'],
          [
            ['a', 0.9],
            ['b', 0.8]
          ]
        )
      ],
      { threshold: undefined, galleryCounts }
    ).map
  ).toBe(0.5)
  expect(
    figuresOf([answer(['c'], [['a', 0.9]])], { threshold: undefined, galleryCounts })
  ).toMatchObject({ map: 0, r1: 0 })
})
