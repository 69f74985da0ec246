// Detectors of the DETR family: boxes of queries as parts of the picture, logits beside them. Their
// outputs are joined into one tensor, in a form of the other detectors.
import type { Size } from '../picture/letterbox.ts'
import { cocoClasses } from './coco-classes.ts'
import { type DetectionForm, stridesFor } from './detection-form.ts'
import { createGraphBuilder, FLOAT, type GraphBuilder, intTensor } from './graph-builder.ts'
import type { OnnxGraph } from './onnx-proto.ts'
import { freeName } from './reserve-names.ts'
import { nodesBefore } from './terminal-convolutions.ts'
import { unsupported } from './unsupported-layout.ts'
import { dimsOf, graphInputs } from './value-shapes.ts'

/** What the files beside an export say. */
export interface TransformerFacts {
  size?: Size | undefined
  classes?: readonly string[] | undefined
  /** The last class stands for no thing, and scores are a softmax; else each is a sigmoid. */
  hasNoThing?: boolean | undefined
}

export interface TransformerForm {
  /** `queries`: boxes and logits. `chosen`: boxes, scores and classes. `rows`: one tensor. */
  kind: 'queries' | 'chosen' | 'rows'
  /** f32 or f16 [b, queries, 4]; of `rows` the only tensor [b, queries, 4 + classes]. */
  boxes: string
  /** [b, queries, classes], of `chosen` [b, queries]. */
  scores?: string
  /** i64 [b, queries] */
  labels?: string
  hasNoThing: boolean
  classCount: number
  size: Size
}

export interface FoundTransformer {
  form: TransformerForm
  /** Names where the file or files beside it have them, or the number is COCO's; else empty. */
  classes: string[]
}

const [sizeInput, maskInput] = ['orig_target_sizes', 'pixel_mask']
const joined = 'likeness_joined'
const names = {
  boxes: ['pred_boxes', 'boxes', 'dets', 'bboxes'],
  logits: ['logits', 'pred_logits', 'labels', 'scores']
}
/** More than any detector of this family has. */
const mostQueries = 1000
/** COCO's ids from 0 to 90, and one for no thing. */
const cocoWithNoThing = 92

interface Beside {
  /** Classes of the metadata. */
  named: readonly string[]
  /** Of the graph, or assumed. */
  size: Size
  facts?: TransformerFacts | undefined
}

/**
 * undefined for an export of another family. Throws `invalid_request` "unsupported layout: ..."
 * where classes do not fit.
 */
export function findTransformer(
  graph: OnnxGraph,
  { named, size, facts = {} }: Beside
): FoundTransformer | undefined {
  const known = named.length > 0 ? [...named] : [...(facts.classes ?? [])]
  const find = (list: readonly string[], rank: number): string | undefined =>
    list
      .map(freeName)
      .find((name) => graph.output.some((one) => one.name === name && dimsOf(one).length === rank))
  const boxes = find(names.boxes, 3)
  const logits = find(names.logits, 3)
  const base = { size, hasNoThing: false, classCount: known.length }
  if (boxes !== undefined && logits !== undefined) {
    const values = dimsOf(graph.output.find(({ name }) => name === logits))[2]!
    const { classes, ...read } = readClasses({ name: logits, values, known, facts })
    return { form: { ...base, kind: 'queries', boxes, scores: logits, ...read }, classes }
  }
  const [scores, labels] = [find(['scores'], 2), find(['labels'], 2)]
  if (boxes !== undefined && scores !== undefined && labels !== undefined)
    return { form: { ...base, kind: 'chosen', boxes, scores, labels }, classes: known }
  const rows = findRows(graph, base)
  return rows === undefined
    ? undefined
    : { form: { ...base, kind: 'rows', boxes: rows }, classes: known }
}

/** Ultralytics' RT-DETR: [b, 300, 4 + classes], with a number of rows that no grid of cells has. */
function findRows(
  { output }: OnnxGraph,
  { size, classCount }: Pick<TransformerForm, 'size' | 'classCount'>
): string | undefined {
  const [, queries = 0, values = 0] = dimsOf(output[0])
  const isOne = output.length === 1 && queries > 0 && queries <= mostQueries && classCount > 2
  return isOne && values === 4 + classCount && stridesFor(queries, size, 1) === undefined
    ? output[0]!.name
    : undefined
}

interface Logits {
  name: string
  /** 0 where the graph does not say. */
  values: number
  known: string[]
  facts: TransformerFacts
}

function readClasses({
  name,
  values,
  known,
  facts
}: Logits): Pick<TransformerForm, 'hasNoThing' | 'classCount'> & { classes: string[] } {
  const count = values || (known.length > 0 ? known.length + (facts.hasNoThing ? 1 : 0) : 0)
  if (count === 0)
    throw unsupported(
      `${name} does not say its number of classes, and no file beside it names them`,
      undefined,
      'the same model with a constant number of classes, or with its config.json beside it'
    )
  const looksSo = known.length > 0 ? count === known.length + 1 : count === cocoWithNoThing
  const hasNoThing = facts.hasNoThing ?? looksSo
  const classCount = hasNoThing ? count - 1 : count
  if (known.length > classCount)
    throw unsupported(`${name} has ${count} scores, for ${known.length} classes`)
  return {
    hasNoThing,
    classCount,
    classes: known.length > 0 ? known : (cocoClasses(classCount) ?? [])
  }
}

/** The form of the joined tensor. */
export const joinedForm = ({ kind, classCount }: TransformerForm): DetectionForm => ({
  tensor: joined,
  order: 'columns',
  box: kind === 'chosen' ? 'corners' : 'centre',
  score: kind === 'chosen' ? 'ranked' : 'classes',
  classCount,
  half: false
})

/** Changes the graph: the joined tensor is its only output, and the picture its only input. */
export function joinTransformer(graph: OnnxGraph, form: TransformerForm): void {
  const g = createGraphBuilder(graph, 'likeness_join_')
  feedInputs(g, graph, form.size)
  g.node('Concat', form.kind === 'chosen' ? chosenParts(g, form) : queryParts(g, form), {
    attributes: { axis: 2 },
    outputs: [joined]
  })
  graph.node = nodesBefore(graph, [joined])
  graph.output = [{ name: joined }]
}

/** Sides of the picture that the graph takes; `assumed` for those that it leaves open. */
export function sizeOfPicture(graph: OnnxGraph, assumed: Size): Size {
  const picture = graphInputs(graph).find((input) => dimsOf(input).length === 4)
  const [, , height = 0, width = 0] = dimsOf(picture)
  return { width: width || assumed.width, height: height || assumed.height }
}

const toFloat = (g: GraphBuilder, tensor: string): string =>
  g.node('Cast', [tensor], { attributes: { to: FLOAT } })

/** Sides as parts of the picture become pixels. */
function queryParts(
  g: GraphBuilder,
  { kind, boxes, scores, hasNoThing, classCount, size }: TransformerForm
): string[] {
  const { width, height } = size
  const slice = (tensor: string, from: number, to: number): string =>
    g.node('Slice', [tensor, g.ints([from]), g.ints([to]), g.ints([2])])
  const inPixels = (tensor: string): string =>
    g.node('Mul', [tensor, g.floats([width, height, width, height])])
  const first = toFloat(g, boxes)
  if (kind === 'rows') return [inPixels(slice(first, 0, 4)), slice(first, 4, 4 + classCount)]
  const logits = toFloat(g, scores!)
  return [
    inPixels(first),
    hasNoThing
      ? slice(g.node('Softmax', [logits], { attributes: { axis: 2 } }), 0, classCount)
      : g.node('Sigmoid', [logits])
  ]
}

/** Boxes are corners in pixels of the size that the graph was given. */
function chosenParts(g: GraphBuilder, { boxes, scores, labels }: TransformerForm): string[] {
  const column = (tensor: string): string =>
    g.node('Reshape', [toFloat(g, tensor), g.ints([0, -1, 1])])
  return [toFloat(g, boxes), column(scores!), column(labels!)]
}

/** Gives constants to the inputs beside the picture: its size, and a mask of ones. */
function feedInputs(g: GraphBuilder, graph: OnnxGraph, { width, height }: Size): void {
  const others = graphInputs(graph).filter(({ name }) => name === sizeInput || name === maskInput)
  const [picture] = graphInputs(graph).filter((input) => !others.includes(input))
  const fed = graph.node
  for (const { name } of others) {
    if (name === sizeInput) graph.initializer.push(intTensor(name, [1, 2], [width, height]))
    else {
      graph.node = []
      const sides = g.node('Gather', [g.node('Shape', [picture!.name]), g.ints([0, 2, 3])])
      g.node('Expand', [g.ints([1], [1, 1, 1]), sides], { outputs: [name] })
      fed.unshift(...graph.node)
      graph.node = fed
    }
  }
  graph.input = graph.input.filter((input) => !others.includes(input))
}
