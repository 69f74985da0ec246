// Turned boxes (task obb of Ultralytics) become the upright boxes around them.
import { createGraphBuilder, FLOAT } from './graph-builder.ts'
import type { OnnxModel } from './onnx-proto.ts'
import { unsupported } from './unsupported-layout.ts'
import { dimsOf } from './value-shapes.ts'

const upright = 'likeness_upright'
/** Box, score, class, angle. */
const chosenValues = 7

/**
 * [b, 4 + classes + 1, boxes], centre, size, scores and an angle in radians, becomes [b, 4 +
 * classes, boxes]. A model for another task stays unchanged. Throws `invalid_request` "unsupported
 * layout: ..." for turned boxes that were chosen end to end.
 */
export function straightenBoxes({ graph, metadataProps }: OnnxModel): void {
  const valueOf = (key: string) => metadataProps.find((entry) => entry.key === key)?.value
  const [output] = graph.output
  if (valueOf('task') !== 'obb' || output === undefined) return
  if (dimsOf(output)[2] === chosenValues || /^true$/i.test(valueOf('end2end') ?? ''))
    throw unsupported(
      `${output.name} holds turned boxes that are chosen end to end`,
      undefined,
      'the same model with `end2end=False`, or one for the task detect'
    )
  const g = createGraphBuilder(graph, 'likeness_upright_')
  const all = g.node('Cast', [output.name], { attributes: { to: FLOAT } })
  const slice = (from: number, to: number): string =>
    g.node('Slice', [all, g.ints([from]), g.ints([to]), g.ints([1])])
  const [width, height, angle] = [slice(2, 3), slice(3, 4), slice(-1, 2 ** 31 - 1)]
  const part = (turn: 'Cos' | 'Sin', side: string): string =>
    g.node('Mul', [g.node('Abs', [g.node(turn, [angle])]), side])
  const across = g.node('Add', [part('Cos', width), part('Sin', height)])
  const down = g.node('Add', [part('Sin', width), part('Cos', height)])
  g.node('Concat', [slice(0, 2), across, down, slice(4, -1)], {
    attributes: { axis: 1 },
    outputs: [upright]
  })
  graph.output = [{ name: upright }, ...graph.output.slice(1)]
}
