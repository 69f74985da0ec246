// Describes a detector's layout in words.
import type { ModelManifest } from '../model/model-manifest.ts'

const boxes = {
  centre: 'centre and size',
  corners: 'corners',
  grid: 'offset and log size per cell'
} as const
const scores = {
  classes: 'class scores',
  objectness: 'objectness x class scores',
  ranked: 'score and class'
} as const

export function describeLayout({
  source: { input, detections, maps, transformer },
  inputSize,
  fixedSize,
  rawDim,
  classes
}: ModelManifest): string {
  const shape = detections.order === 'rows' ? '[batch, values, boxes]' : '[batch, boxes, values]'
  const size = `${inputSize.width}x${inputSize.height}${fixedSize ? '' : ' or any multiple of 32'}`
  const taps = maps.map(
    ({ tensor, stride, channels, grid, weight, part, pool }) =>
      `${tensor} (stride ${Number(stride.toFixed(2))}, ${channels} channels, ${grid}x${grid}${weight === undefined ? '' : `, weight ${weight}`}${part === undefined ? '' : `, part ${part}`}${pool === undefined ? '' : `, pool ${pool}`})`
  )
  const joined =
    transformer &&
    [transformer.boxes, transformer.scores, transformer.labels].filter(Boolean).join(' and ')
  const told = [
    joined &&
      `joined of ${joined}${transformer?.hasNoThing ? ', softmax with a class of none' : ''}`,
    input.stretched && 'pictures stretched',
    input.normalisation &&
      `mean ${input.normalisation.mean.join(' ')}, deviation ${input.normalisation.deviation.join(' ')}`
  ].filter((part) => typeof part === 'string')
  return (
    `${detections.tensor} ${shape}: ${boxes[detections.box]}, ${scores[detections.score]}; ${classes.length} classes; ` +
    `${input.channels} 0..${input.scale} ${input.half ? 'float16 ' : ''}${size}; ${told.map((part) => `${part}; `).join('')}vectors of ${rawDim} from ${taps.join(' and ')}`
  )
}
