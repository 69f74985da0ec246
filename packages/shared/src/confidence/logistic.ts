// Logistic regression with a prior: weights that follow the examples as far as there are some, and
// stay where they are without any.

export interface Example {
  /** [n]: the same n numbers for all examples. */
  inputs: readonly number[]
  isTrue: boolean
  /** How much the example counts. */
  weight: number
}

/** A step of Newton that is shorter has arrived. */
const shortStep = 1e-9
const mostSteps = 50

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit))

export const logitOf = (inputs: readonly number[], weights: readonly number[]): number =>
  inputs.reduce((sum, input, i) => sum + input * weights[i]!, 0)

/**
 * Returns the weights [n] with the least loss: the sum of -log P over the examples, each times its
 * weight, plus half the squared distance to the prior [n]. This sum has one minimum.
 */
export function fitLogistic(examples: readonly Example[], prior: readonly number[]): number[] {
  let weights = [...prior]
  for (let step = 0; step < mostSteps; step++) {
    const move = newtonStep(examples, prior, weights)
    const next = shortened(examples, prior, { weights, move })
    const length = Math.hypot(...next.map((value, i) => value - weights[i]!))
    weights = next
    if (length < shortStep) break
  }
  return weights
}

/** A whole step may go too far where the loss is flat: it is halved until the loss falls. */
function shortened(
  examples: readonly Example[],
  prior: readonly number[],
  { weights, move }: { weights: readonly number[]; move: readonly number[] }
): number[] {
  const before = lossOf(examples, prior, weights)
  for (let part = 1; part > 1e-6; part /= 2) {
    const next = weights.map((value, i) => value - part * move[i]!)
    if (lossOf(examples, prior, next) <= before) return next
  }
  return [...weights]
}

/** -log P of a truth, without overflow: log(1 + e^-z). */
export const logLoss = (logit: number, isTrue: boolean): number => {
  const z = isTrue ? logit : -logit
  return z > 0 ? Math.log1p(Math.exp(-z)) : -z + Math.log1p(Math.exp(z))
}

function lossOf(
  examples: readonly Example[],
  prior: readonly number[],
  weights: readonly number[]
): number {
  const distance = weights.reduce((sum, value, i) => sum + (value - prior[i]!) ** 2, 0)
  return examples.reduce(
    (sum, { inputs, isTrue, weight }) => sum + weight * logLoss(logitOf(inputs, weights), isTrue),
    distance / 2
  )
}

function newtonStep(
  examples: readonly Example[],
  prior: readonly number[],
  weights: readonly number[]
): number[] {
  const gradient = weights.map((value, i) => value - prior[i]!)
  const curvature = weights.map((_, i) => weights.map((_, j) => (i === j ? 1 : 0)))
  for (const { inputs, isTrue, weight } of examples) {
    const chance = sigmoid(logitOf(inputs, weights))
    const error = weight * (chance - (isTrue ? 1 : 0))
    const spread = weight * chance * (1 - chance)
    for (const [i, input] of inputs.entries()) {
      gradient[i]! += error * input
      for (const [j, other] of inputs.entries()) curvature[i]![j]! += spread * input * other
    }
  }
  return solve(curvature, gradient)
}

/** Solves a x = b by elimination. `a` is positive definite: the prior adds 1 to its diagonal. */
function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = a.map((row, i) => [...row, b[i]!])
  const n = b.length
  for (let i = 0; i < n; i++) {
    for (let below = i + 1; below < n; below++) {
      const factor = rows[below]![i]! / rows[i]![i]!
      for (let j = i; j <= n; j++) rows[below]![j]! -= factor * rows[i]![j]!
    }
  }
  const x = b.map(() => 0)
  for (let i = n - 1; i >= 0; i--) {
    const known = x.reduce((sum, value, j) => (j > i ? sum + rows[i]![j]! * value : sum), 0)
    x[i] = (rows[i]![n]! - known) / rows[i]![i]!
  }
  return x
}
