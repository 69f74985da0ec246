// Recognises a detector's output layout from the shapes and values of a dummy run.
import { cellsOf, type DetectionForm, stridesFor } from './detection-form.ts'

export interface ProbedTensor {
  name: string
  dims: readonly number[]
  values: Float32Array
  half: boolean
}

export interface ProbedOutputs {
  outputs: readonly ProbedTensor[]
  /** Size of the canvas of the run. */
  size: { width: number; height: number }
  /** Number of named classes; 0 when the file names no classes. */
  classNames: number
  /** Task in the exporter's metadata, for example `segment` or `pose`. */
  task?: string | undefined
}

const anchorsPerCell = 3
/** Corners, score, class. */
const rankedValues = 6
/** Largest number of ranked boxes of a picture. */
const mostRanked = 1000

/** Throws, naming every output, for an unknown layout. */
export function recogniseDetections({
  outputs,
  size,
  classNames,
  task
}: ProbedOutputs): DetectionForm {
  const [output] = outputs
  const seen = outputs.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ')
  const fail = (why: string): never => {
    throw new Error(
      `outputs are ${seen}${classNames > 0 ? ` for ${classNames} classes` : ''}; ${why}`
    )
  }
  if (output === undefined || output.dims.length !== 3)
    return fail('the first of three dimensions [batch, ., .] is needed')
  return (
    recogniseTensor(output, {
      size,
      classNames,
      masks: maskCount(outputs),
      hasMore: task === 'pose'
    }) ??
    fail(
      'known are [batch, 4 + classes, boxes], [batch, boxes, 5 + classes] and [batch, boxes, 6] end to end'
    )
  )
}

/**
 * Number of mask values of a segmentation model at the end of each box: the channels of the second
 * output.
 */
function maskCount([, second]: readonly ProbedTensor[]): number {
  return second?.dims.length === 4 ? second.dims[1]! : 0
}

export interface TensorFacts {
  size: { width: number; height: number }
  /** Number of named classes; 0 when the file names no classes. */
  classNames: number
  /** Number of mask values at the end of each box. */
  masks: number
  /** Values of another kind follow the classes. */
  hasMore: boolean
}

/** undefined for a tensor that holds no boxes in a known layout. */
export function recogniseTensor(
  output: ProbedTensor,
  facts: TensorFacts
): DetectionForm | undefined {
  const { size, classNames, masks, hasMore } = facts
  if (output.dims.length !== 3) return undefined
  const [, first = 0, second = 0] = output.dims
  const base = { tensor: output.name, half: output.half }
  if (stridesFor(second, size, 1) !== undefined || second > first) {
    const classCount = countClasses(first - 4, facts)
    return classCount < 1
      ? undefined
      : { ...base, order: 'rows', box: 'centre', score: 'classes', classCount }
  }
  const strides = stridesFor(first, size, 1)
  if (strides !== undefined || stridesFor(first, size, anchorsPerCell) !== undefined) {
    const classCount = countClasses(second - 5, facts)
    const isGrid = strides !== undefined && isRawGrid(output, size, strides)
    return classCount < 1
      ? undefined
      : {
          ...base,
          order: 'columns',
          box: isGrid ? 'grid' : 'centre',
          score: 'objectness',
          classCount
        }
  }
  const ofRanked = second - rankedValues - masks
  return (ofRanked === 0 || (hasMore && ofRanked > 0)) && first <= mostRanked
    ? { ...base, order: 'columns', box: 'corners', score: 'ranked', classCount: classNames }
    : undefined
}

/** 0 when the values do not fit the classes that the file names. */
function countClasses(values: number, { classNames, masks, hasMore }: TensorFacts): number {
  if (classNames === 0) return hasMore ? 0 : Math.max(0, values - masks)
  return values - masks === classNames || (hasMore && values - masks > classNames) ? classNames : 0
}

/** Decoded centres follow the cells across the picture; raw values stay around 0. */
function isRawGrid(
  { values, dims }: ProbedTensor,
  size: { width: number; height: number },
  strides: readonly number[]
): boolean {
  const columns = dims[2]!
  let fromCentre = 0
  let fromZero = 0
  cellsOf(size, strides).forEach(({ column, stride }, i) => {
    fromCentre += Math.abs(values[i * columns]! - (column + 0.5) * stride)
    fromZero += Math.abs(values[i * columns]!)
  })
  return fromZero < fromCentre
}
