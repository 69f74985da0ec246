// Tries a model on dummy pictures to find its outputs and backbone maps.
import { messageOf } from '@likeness/shared/errors'
import * as ort from '../onnx-runtime.ts'
import { type DetectionForm, firstClass } from '../onnx/detection-form.ts'
import { encodeWithOutputs } from '../onnx/extra-outputs.ts'
import { findRankedSource, rankedSourceCandidates } from '../onnx/find-ranked-source.ts'
import { inputTensor, type ModelInput } from '../onnx/model-input.ts'
import type { OnnxModel } from '../onnx/onnx-proto.ts'
import type { MapTensor } from '../onnx/pooled-map.ts'
import { type ProbedTensor, recogniseDetections } from '../onnx/recognise-detections.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import { unsupported } from '../onnx/unsupported-layout.ts'
import { dummyPictures } from '../picture/dummy-pictures.ts'
import { findMapCandidates, measureMaps } from './pooled-maps.ts'

export interface ModelLayout {
  /** The given input, with the values that this layout needs. */
  input: ModelInput
  detections: DetectionForm
  /** Number of boxes of a picture at the input's size. */
  boxCount: number
  /** The export chooses its boxes itself: no suppression is needed. */
  isEndToEnd: boolean
  maps: MapTensor[]
}

export interface ProbeOptions {
  model: OnnxModel
  input: ModelInput
  /** Number of named classes; 0 when the file names no classes. */
  classNames: number
  task?: string | undefined
}

/** Throws `invalid_request` "unsupported layout: ..." that names the unknown tensors. */
export async function probeLayout({
  model,
  input,
  classNames,
  task
}: ProbeOptions): Promise<ModelLayout> {
  const candidates = findMapCandidates(model)
  const declared = candidates.declared.map(({ tensor }) => tensor)
  // A map among the outputs holds no boxes.
  const outputs = model.graph.output
    .map(({ name }) => name)
    .filter((name) => !declared.includes(name))
  const sources = rankedSourceCandidates(model.graph, outputs)
  const results = await runDummies(model, input, [...candidates.backbone, ...declared, ...sources])
  const maps = measureMaps(candidates, results[0]!, input)
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
  const outputOf = (run: ort.InferenceSession.OnnxValueMapType) =>
    probed(detections.tensor, run[detections.tensor]!)
  refuseZeroScores(results.map(outputOf), detections)
  return {
    // YOLOX was trained on pixels in OpenCV's order.
    input: form.box === 'grid' ? { ...input, scale: 255, channels: 'BGR', fixedSize: true } : input,
    detections,
    boxCount: outputOf(results[0]!).dims[detections.order === 'rows' ? 2 : 1]!,
    isEndToEnd: form.score === 'ranked' && detections.box === 'corners',
    maps
  }
}

function findSource(
  form: DetectionForm,
  results: readonly ort.InferenceSession.OnnxValueMapType[],
  candidates: readonly string[],
  { size }: ModelInput
): DetectionForm | undefined {
  for (const result of results) {
    const floats = candidates
      .filter((name) => name !== form.tensor && result[name]!.type.startsWith('float'))
      .map((name) => probed(name, result[name]!))
    const source = findRankedSource(probed(form.tensor, result[form.tensor]!), floats, {
      size,
      classCount: form.classCount
    })
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

/**
 * Refuses an output with only zero scores. A fully quantised export may share a scale for boxes and
 * scores, and then every score is 0.
 */
function refuseZeroScores(outputs: readonly ProbedTensor[], form: DetectionForm): void {
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
  if (outputs.every(isZero))
    throw unsupported(
      'every class score is 0, as in an export whose scores were quantised together with its boxes: export it again with the last layers left in float'
    )
}

async function runDummies(
  model: OnnxModel,
  input: ModelInput,
  tensors: readonly string[]
): Promise<ort.InferenceSession.OnnxValueMapType[]> {
  let session: ort.InferenceSession
  try {
    session = await ort.InferenceSession.create(encodeWithOutputs(model, tensors), {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      logSeverityLevel: 3
    })
  } catch (error) {
    throw unsupported(`onnxruntime does not load it: ${messageOf(error).trim()}`, error)
  }
  try {
    const results = []
    for (const pixels of dummyPictures(input.size))
      results.push(await session.run({ [input.name]: inputTensor(pixels, input, input.size) }))
    return results
  } finally {
    await session.release()
  }
}
