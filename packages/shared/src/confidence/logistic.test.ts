import { expect, test } from 'vitest'
import { type Example, fitLogistic, logitOf, logLoss, sigmoid } from './logistic.ts'

const many = (isTrue: boolean, count: number): Example[] =>
  Array.from({ length: count }, () => ({ inputs: [1], isTrue, weight: 1 }))

test('without examples the weights are the prior', () => {
  expect(fitLogistic([], [2, -1, 0.5])).toEqual([2, -1, 0.5])
})

test('many examples of one input are right as often as they are, whatever the prior', () => {
  const [weight] = fitLogistic([...many(true, 30_000), ...many(false, 10_000)], [-3])
  expect(sigmoid(weight!)).toBeCloseTo(0.75, 3)
})

test('the slope of the loss is zero at the answer', () => {
  const examples: Example[] = [
    { inputs: [0.2, 1], isTrue: true, weight: 2 },
    { inputs: [-0.7, 1], isTrue: false, weight: 1 },
    { inputs: [0.1, 1], isTrue: false, weight: 0.5 },
    { inputs: [1.4, 1], isTrue: true, weight: 3 }
  ]
  const prior = [0.5, -0.5]
  const weights = fitLogistic(examples, prior)
  const slope = weights.map((value, i) =>
    examples.reduce(
      (sum, { inputs, isTrue, weight }) =>
        sum + weight * (sigmoid(logitOf(inputs, weights)) - Number(isTrue)) * inputs[i]!,
      value - prior[i]!
    )
  )
  expect(Math.hypot(...slope)).toBeLessThan(1e-6)
})

test('examples that can be told apart do not send the weights to infinity', () => {
  const examples = [-40, -30, 30, 40].map((x) => ({ inputs: [x, 1], isTrue: x > 0, weight: 100 }))
  const weights = fitLogistic(examples, [5, 0])
  expect(weights.every(Number.isFinite)).toBe(true)
  expect(sigmoid(logitOf([30, 1], weights))).toBeGreaterThan(0.99)
})

test('the loss of a certain error is finite', () => {
  expect(logLoss(0, true)).toBeCloseTo(Math.log(2))
  expect(logLoss(2000, false)).toBe(2000)
  expect(logLoss(-2000, true)).toBe(2000)
})
