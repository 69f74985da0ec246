// Maps of what is in a box: the part of a graph behind a Resize of the picture sees each box
// instead, cut out and stretched, in the same run.
import type { GraphBuilder } from './graph-builder.ts'
import type { OnnxGraph, OnnxNode } from './onnx-proto.ts'
import type { MapTensor } from './pooled-map.ts'
import { pooling } from './pooling.ts'
import { nodesBefore } from './terminal-convolutions.ts'
import { unsupported } from './unsupported-layout.ts'

/** `tensor`: the map; `crops`: the tensor of the resized picture. */
export interface CropPath {
  tensor: string
  crops: string
}

const maker = (graph: OnnxGraph, tensor: string): OnnxNode | undefined =>
  graph.node.find(({ output }) => output.includes(tensor))

/**
 * Throws `invalid_request` "unsupported layout: ..." where `crops` is no Resize of the model's
 * input `picture`, or `tensor` is also made of other values of the picture.
 */
export function checkCrops(graph: OnnxGraph, { tensor, crops }: CropPath, picture: string): void {
  const resize = maker(graph, crops)
  if (resize?.opType !== 'Resize' || resize.input[0] !== picture)
    throw unsupported(
      `likeness_maps names crops ${crops}, made by ${resize?.opType ?? 'no node'} of ${resize?.input[0] ?? 'nothing'}; a Resize of ${picture} is needed`
    )
  const own = cropGraph(graph, { tensor, crops }).node
  if (!own.some(({ input }) => input.includes(crops)))
    throw unsupported(`likeness_maps names ${tensor}, which is not made of ${crops}`)
  const other = own.find(({ input }) => input.includes(picture))
  if (other !== undefined)
    throw unsupported(
      `likeness_maps names ${tensor}, which ${other.opType} makes of ${picture} too, beside ${crops}`
    )
}

/**
 * Lets the nodes between `crops` and `tensor` see the boxes `rois` of the pictures `batch`: their
 * first dimension is boxes from here on. They move behind the nodes that find the boxes.
 */
export function lookAtBoxes(
  g: GraphBuilder,
  graph: OnnxGraph,
  { tensor, crops = '', crop = 0 }: MapTensor,
  { rois, batch }: { rois: string; batch: string }
): void {
  const resize = maker(graph, crops)!
  const moved = nodesBehind(graph, { tensor, crops })
  graph.node = graph.node.filter((node) => node !== resize && !moved.includes(node))
  const cut = g.node('RoiAlign', [resize.input[0]!, rois, batch], {
    attributes: {
      mode: 'avg',
      output_height: crop,
      output_width: crop,
      sampling_ratio: pooling.cropSamples,
      spatial_scale: { float: 1 },
      coordinate_transformation_mode: 'half_pixel'
    }
  })
  for (const node of moved) node.input = node.input.map((name) => (name === crops ? cut : name))
  graph.node.push(...moved)
}

/** The part of a graph from the input `crops` to the output `tensor`. */
export function cropGraph(
  graph: OnnxGraph,
  { tensor, crops }: CropPath
): Pick<OnnxGraph, 'node' | 'output'> {
  const node = graph.node.filter(({ output }) => !output.includes(crops))
  return { node: nodesBefore({ ...graph, node }, [tensor]), output: [{ name: tensor }] }
}

/** Nodes that `tensor` is made of and that are made of `crops`, in the order of the graph. */
function nodesBehind(graph: OnnxGraph, { tensor, crops }: CropPath): OnnxNode[] {
  const reached = new Set([crops])
  return cropGraph(graph, { tensor, crops }).node.filter((node) => {
    const isBehind = node.input.some((name) => reached.has(name))
    if (isBehind) for (const name of node.output) reached.add(name)
    return isBehind
  })
}
