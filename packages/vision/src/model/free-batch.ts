// Frees the constant batch of an export, and checks by a run that the numbers of a picture stay the
// same alone and beside another picture.
import { makeBatchDynamic } from '../onnx/dynamic-batch.ts'
import { encodeWithOutputsAlone } from '../onnx/extra-outputs.ts'
import { type ModelInput, tensorOf } from '../onnx/model-input.ts'
import type { OnnxModel } from '../onnx/onnx-proto.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import { dummyPictures } from '../picture/dummy-pictures.ts'
import { runtimeReason } from '../runtime/runtime-reason.ts'
import type { ModelLayout } from './model-layout.ts'
import { type DummyRun, openDummySession } from './run-dummies.ts'

/**
 * Largest difference of a picture's numbers, as a part of the difference between two pictures.
 * Dynamically quantised exports differ a little; a graph that mixes pictures differs by far.
 */
const mostDifference = 0.25
/** As a part of the numbers themselves: the rounding of another order of sums. */
const rounding = 1e-6

/** Changes the graph. Returns why it cannot be used with a free batch; undefined: it can. */
export async function freeBatch(
  model: OnnxModel,
  /** The input that the dummy pictures were given to. */
  input: ModelInput,
  { detections, maps, results, shapes }: ModelLayout
): Promise<string | undefined> {
  makeBatchDynamic(model.graph, input.name, shapes)
  const tensors = [detections.tensor, ...maps.map(({ tensor }) => tensor)]
  const alone = results.map((result) => valuesOf(result, tensors))
  try {
    const session = await openDummySession(encodeWithOutputsAlone(model, tensors))
    try {
      const pictures = dummyPictures(input.size)
      const together = new Float32Array(pictures.length * pictures[0]!.length)
      pictures.forEach((pixels, i) => together.set(pixels, i * pixels.length))
      for (const count of [1, pictures.length]) {
        const pixels = together.subarray(0, count * pictures[0]!.length)
        const seen = await session.run({ [input.name]: tensorOf(pixels, input, input.size) })
        const problem = compare(seen, alone, { tensors, count })
        if (problem !== undefined) return problem
      }
      return undefined
    } finally {
      await session.release()
    }
  } catch (error) {
    return runtimeReason(error)
  }
}

const valuesOf = (result: DummyRun, tensors: readonly string[]): Float32Array[] =>
  tensors.map((name) => floatValues(result[name]!))

/** `alone`: [picture][tensor]. */
function compare(
  seen: DummyRun,
  alone: readonly Float32Array[][],
  { tensors, count }: { tensors: readonly string[]; count: number }
): string | undefined {
  const values = valuesOf(seen, tensors)
  for (const [t, name] of tensors.entries()) {
    const length = alone[0]![t]!.length
    const { dims } = seen[name]!
    if (dims[0] !== count || values[t]!.length !== count * length)
      return `${name} of ${count} pictures is [${dims.join(', ')}]`
    const apart = distance(alone[0]![t]!, alone[1]![t]!)
    for (let i = 0; i < count; i++) {
      const own = distance(values[t]!.subarray(i * length, (i + 1) * length), alone[i]![t]!)
      if (!(own <= mostDifference * apart + rounding * distance(alone[i]![t]!)))
        return `${name} of a picture differs ${count === 1 ? 'once the batch is free' : 'beside another picture'}`
    }
  }
  return undefined
}

/** Length of the difference; of `a` itself without `b`. */
function distance(a: Float32Array, b?: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - (b?.[i] ?? 0)) ** 2
  return Math.sqrt(sum)
}
