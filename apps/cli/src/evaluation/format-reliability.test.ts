import { expect, test } from 'vitest'
import { formatReliability } from './format-reliability.ts'
import { figuresOf, type RankedAnswer } from './ranked-figures.ts'
import { reliabilityFigures } from './reliability-figures.ts'
import { renderReliability } from './reliability-svg.ts'

const answer = (label: string | null, confidence: number | null): RankedAnswer => ({
  labels: label === null ? [] : [label],
  hits: [{ label: 'a', score: 0.5 }],
  confidence,
  kind: 'known',
  ms: 1
})
const answers = [
  answer('a', 0.96),
  answer('a', 0.5),
  answer('b', 0.1),
  answer(null, 0.8),
  answer(null, 0.2)
]

test('bins, the error, the curve and the verdicts are printed', () => {
  const lines = formatReliability(answers).split('\n')
  expect(lines).toHaveLength(1 + 10 + 1 + 5 + 3)
  expect(lines[10]).toBe('0.960  1.000        1')
  expect(lines).toContain(
    'from 0.75: 50.0 % of strangers accepted, 50.0 % of right answers refused'
  )
  expect(lines.slice(-3)).toEqual([
    'match        2, 1 right, 1 strangers',
    'unsure       1, 1 right, 0 strangers',
    'unknown      2, 0 right, 1 strangers'
  ])
})

test('answers of which nothing is said have no figures', () => {
  const silent = [answer('a', null)]
  expect(formatReliability(silent)).toBe('nothing is said of how sure the answers are')
  const options = { threshold: undefined, galleryCounts: new Map<string, number>() }
  expect(figuresOf(silent, options)).toMatchObject({ ece: null, falseReject: 0 })
})

test('without a threshold the verdicts say what is accepted and refused, with one the threshold', () => {
  const options = { galleryCounts: new Map([['a', 1]]) }
  expect(figuresOf(answers, { ...options, threshold: undefined })).toMatchObject({
    falseAccept: 0.5,
    falseReject: 1 / 3,
    ece: expect.closeTo((0.04 + 0.5 + 0.1 + 0.8 + 0.2) / 5)
  })
  expect(figuresOf(answers, { ...options, threshold: 0.6 })).toMatchObject({
    falseAccept: 0,
    falseReject: 1
  })
})

test('the picture has a dot for each bin with answers and a line where strangers were asked', () => {
  const svg = renderReliability(reliabilityFigures(answers), 'a & b')
  expect(svg.match(/<circle/g)).toHaveLength(5)
  expect(svg).toContain('<polyline')
  expect(svg).toContain('a &#38; b')
  expect(renderReliability(reliabilityFigures([answer('a', 0.9)]), 'a')).toContain(
    'no strangers were asked'
  )
})

test('queries that were asked without their label are strangers, a fifth of all by weight', () => {
  const leftOut = (confidence: number): RankedAnswer => ({
    ...answer(null, confidence),
    isLeftOut: true
  })
  const all = [answer('a', 0.9), answer('a', 0.9), leftOut(0.9), leftOut(0.1)]
  const options = { threshold: undefined, galleryCounts: new Map([['a', 1]]) }
  expect(figuresOf(all, options)).toMatchObject({
    queries: 2,
    falseAccept: 0.5,
    ece: expect.closeTo(0.9 * Math.abs(0.9 - 2 / 2.25) + 0.1 * 0.1)
  })
  expect(formatReliability(all)).toContain('match        2, 2 right, 0 strangers; 1 of 2 without')
  const own = [...all, answer(null, 0.2)]
  expect(figuresOf(own, options)).toMatchObject({ queries: 3, falseAccept: 0 })
})
