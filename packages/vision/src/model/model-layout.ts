// Tries a model on dummy pictures to find its outputs and backbone maps.
import { messageOf } from '@likeness/shared/errors'
import type * as ort from '../onnx-runtime.ts'
import { type DetectionForm, firstClass } from '../onnx/detection-form.ts'
import { reshapedTensors, type SeenShapes } from '../onnx/dynamic-batch.ts'
import { encodeWithOutputs, encodeWithOutputsAlone } from '../onnx/extra-outputs.ts'
import { findRankedSource, rankedSourceCandidates } from '../onnx/find-ranked-source.ts'
import { findSuppressedSource, suppressedSourceCandidates } from '../onnx/find-suppressed-source.ts'
import type { ModelInput } from '../onnx/model-input.ts'
import type { OnnxGraph, OnnxModel } from '../onnx/onnx-proto.ts'
import type { MapTensor } from '../onnx/pooled-map.ts'
import { type ProbedTensor, recogniseDetections } from '../onnx/recognise-detections.ts'
import { floatValues, ofFirstPicture } from '../onnx/tensor-values.ts'
import { nodesBefore } from '../onnx/terminal-convolutions.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import { checkStrides, findMapCandidates, type MapCandidates, measureMaps } from './pooled-maps.ts'
import { type DummyRun, runDummies } from './run-dummies.ts'

export interface ModelLayout {
  /** The given input, with the values that this layout needs. */
  input: ModelInput
  detections: DetectionForm
  /** Number of boxes of a picture at the input's size. */
  boxCount: number
  /** The export chooses its boxes itself: no suppression is needed. */
  isEndToEnd: boolean
  /** The export suppresses boxes after that tensor, with nodes that are not needed. */
  isSuppressed: boolean
  maps: MapTensor[]
  /** Results of the dummy pictures, each for one picture. */
  results: readonly DummyRun[]
  /** Shapes that freeing a constant batch needs. */
  shapes: SeenShapes
}

export interface ProbeOptions {
  model: OnnxModel
  input: ModelInput
  /** Number of named classes; 0 when the file names no classes. */
  classNames: number
  task?: string | undefined
  /** Detections that are known beforehand, of the graph's only output. */
  known?: { detections: DetectionForm; maps: MapCandidates } | undefined
}

/** Throws `invalid_request` "unsupported layout: ..." that names the unknown tensors. */
export async function probeLayout({
  model,
  input,
  classNames,
  task,
  known
}: ProbeOptions): Promise<ModelLayout> {
  refuseTask(task)
  const candidates = known?.maps ?? findMapCandidates(model, input.name)
  const declared = candidates.declared.map(({ tensor }) => tensor)
  // A map among the outputs holds no boxes.
  const outputs = model.graph.output
    .map(({ name }) => name)
    .filter((name) => !declared.includes(name))
  const suppressed = suppressedSourceCandidates(model.graph, outputs)
  const sources = suppressed ?? rankedSourceCandidates(model.graph, outputs)
  const reshaped = reshapedTensors(model.graph, input.name)
  const crops = candidates.declared.flatMap((map) => map.crops ?? [])
  const tensors = [...(candidates.backbone ?? []), ...declared, ...crops, ...sources]
  const runs = await runDummies({
    input,
    // An export's own suppression is not run: it may be made for another runtime.
    bytes:
      suppressed === undefined
        ? encodeWithOutputs(model, [...tensors, ...reshaped])
        : encodeWithOutputsAlone(model, [...tensors, ...reshapedBefore(model, tensors, reshaped)])
  })
  const results = runs.map((run) => ofFirstPicture(run, input.batch ?? 1))
  const maps = measureMaps(candidates, results[0]!, input)
  const layout = { model, input, classNames, task, outputs, sources, results }
  const readOwn = suppressed === undefined ? readOutput : readSuppressed
  const found: Found = known ? { detections: known.detections, isEndToEnd: true } : readOwn(layout)
  const { detections } = found
  const outputOf = (run: DummyRun) => probed(detections.tensor, run[detections.tensor]!)
  refuseZeroScores(results.map(outputOf), detections, model.graph)
  refuseWildScores(results.map(outputOf), detections)
  // YOLOX was trained on pixels in OpenCV's order.
  const own: ModelInput =
    detections.box === 'grid' ? { ...input, scale: 255, channels: 'BGR', fixedSize: true } : input
  if (!own.fixedSize) await checkStrides(model, candidates, { maps, input: own })
  return {
    input: own,
    ...found,
    isSuppressed: suppressed !== undefined,
    boxCount: outputOf(results[0]!).dims[detections.order === 'rows' ? 2 : 1]!,
    maps,
    results,
    // Constants of one size would not fit another size.
    shapes: new Map(
      input.fixedSize
        ? Object.entries(runs[0]!).map(([name, { dims }]) => [name, dims] as const)
        : []
    )
  }
}

/** Tasks whose outputs hold no upright boxes, and what to export instead. */
const otherTasks: Partial<Record<string, string>> = {
  classify: 'a model for the task detect; a classifier can stand beside it, with `--embedder`'
}

function refuseTask(task = ''): void {
  const instead = otherTasks[task]
  if (instead !== undefined)
    throw unsupported(`it is a model for the task ${task}`, undefined, instead)
}

/** Reshapes that the tensors need. */
function reshapedBefore(
  { graph }: OnnxModel,
  tensors: readonly string[],
  reshaped: readonly string[]
): string[] {
  const made = new Set(nodesBefore(graph, tensors).flatMap(({ output }) => output))
  return reshaped.filter((name) => made.has(name))
}

interface Probed extends ProbeOptions {
  outputs: readonly string[]
  sources: readonly string[]
  results: readonly DummyRun[]
}
type Found = Pick<ModelLayout, 'detections' | 'isEndToEnd'>

function readOutput({ input, classNames, task, outputs, sources, results }: Probed): Found {
  let form: DetectionForm
  try {
    form = recogniseDetections({
      outputs: outputs.map((name) => probed(name, results[0]![name]!)),
      size: input.size,
      classNames,
      task
    })
  } catch (error) {
    throw unsupported(messageOf(error), error)
  }
  const source = form.score === 'ranked' ? findSource(form, results, sources, input) : undefined
  const detections = source ?? form
  return { detections, isEndToEnd: form.score === 'ranked' && detections.box === 'corners' }
}

function readSuppressed({ input, classNames, sources, results }: Probed): Found {
  const seen = floatsOf(results[0]!, sources)
  const detections = findSuppressedSource(seen, { size: input.size, classNames })
  if (detections === undefined)
    throw unsupported(
      `the file suppresses boxes itself, and no tensor before that holds all boxes; seen were ${seen.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ') || 'none'}`,
      undefined,
      'the same model without its own suppression: `nms=False` in Ultralytics, no `--end2end` in YOLOv7'
    )
  return { detections, isEndToEnd: false }
}

const floatsOf = (result: DummyRun, names: readonly string[]): ProbedTensor[] =>
  names
    .filter((name) => result[name]!.type.startsWith('float'))
    .map((name) => probed(name, result[name]!))

function findSource(
  form: DetectionForm,
  results: readonly DummyRun[],
  candidates: readonly string[],
  { size }: ModelInput
): DetectionForm | undefined {
  for (const result of results) {
    const source = findRankedSource(
      probed(form.tensor, result[form.tensor]!),
      floatsOf(
        result,
        candidates.filter((name) => name !== form.tensor)
      ),
      { size, classCount: form.classCount }
    )
    if (source !== undefined) return source
  }
  return undefined
}

const probed = (name: string, tensor: ort.Tensor): ProbedTensor => ({
  name,
  dims: tensor.dims,
  values: floatValues(tensor),
  half: tensor.type === 'float16'
})

/** Beyond rounding. */
const mostScore = 1.01

/** Points and angles that stand behind the classes look like scores where the file does not say so. */
function refuseWildScores(outputs: readonly ProbedTensor[], form: DetectionForm): void {
  if (form.score !== 'classes') return
  const most = Math.max(...outputs.map((output) => greatestScore(output, form)))
  if (!(most <= mostScore))
    throw unsupported(
      `a class score in ${form.tensor} is ${most.toFixed(2)}, and scores are at most 1: other values may stand among them, as of a pose or obb model whose file has lost its metadata`,
      undefined,
      'the same model from its framework, with the metadata that it writes'
    )
}

function greatestScore({ dims, values }: ProbedTensor, form: DetectionForm): number {
  const [, first = 0, second = 0] = dims
  const [boxes, width] = form.order === 'rows' ? [second, first] : [first, second]
  const at = (box: number, value: number): number =>
    form.order === 'rows' ? values[value * boxes + box]! : values[box * width + value]!
  let most = 0
  for (let box = 0; box < boxes; box++)
    for (let value = firstClass(form); value < firstClass(form) + form.classCount; value++)
      if (!(at(box, value) <= most)) most = at(box, value)
  return most
}

const quantising = /Quantize|^QLinear|Integer$/

/**
 * Refuses an output with only zero scores. A fully quantised export may share a scale for boxes and
 * scores, and then every score is 0.
 */
function refuseZeroScores(
  outputs: readonly ProbedTensor[],
  form: DetectionForm,
  { node }: OnnxGraph
): void {
  const isZero = ({ dims, values }: ProbedTensor): boolean => {
    const [, first = 0, second = 0] = dims
    const from = form.score === 'ranked' ? 4 : firstClass(form)
    const to = form.score === 'ranked' ? 5 : from + form.classCount
    if (form.order === 'rows')
      return values.subarray(from * second, to * second).every((score) => score === 0)
    return Array.from({ length: first }, (_, box) =>
      values.subarray(box * second + from, box * second + to)
    ).every((scores) => scores.every((score) => score === 0))
  }
  if (!outputs.every(isZero)) return
  if (node.some(({ opType }) => quantising.test(opType)))
    throw unsupported(
      'every class score is 0, as where scores were quantised together with boxes',
      undefined,
      'the same model with its last layers left in float'
    )
  throw unsupported(
    `every class score in ${form.tensor} is 0 for both dummy pictures, so there is no box to check`
  )
}
