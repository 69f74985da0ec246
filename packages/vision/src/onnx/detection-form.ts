// The way to read a detector's output: the meaning of the rows of its tensor.

export interface DetectionForm {
  /** A tensor of the exporter's graph. */
  tensor: string
  /** `rows`: [b, values, boxes]; `columns`: [b, boxes, values]. */
  order: 'rows' | 'columns'
  /**
   * The first four values: centre and size, corners (both input pixels), or YOLOX's offset and
   * logarithmic size per cell.
   */
  box: 'centre' | 'corners' | 'grid'
  /**
   * The next values: a score per class; an objectness and then a score per class; or a single score
   * and the number of its class.
   */
  score: 'classes' | 'objectness' | 'ranked'
  classCount: number
  /** float16 in the exporter's graph. */
  half: boolean
}

/** Place of the first class score among the values of a box. */
export const firstClass = ({ score }: Pick<DetectionForm, 'score'>): number =>
  score === 'objectness' ? 5 : 4

/**
 * Strides of the heads in the family's models: usual, with a head for large things, with a head for
 * small things.
 */
export const strideSets = [
  [8, 16, 32],
  [8, 16, 32, 64],
  [4, 8, 16, 32]
] as const

export interface Cell {
  column: number
  row: number
  stride: number
}

/** Cells in the order of the outputs: finest stride first, row by row. */
export function cellsOf(
  { width, height }: { width: number; height: number },
  strides: readonly number[]
): Cell[] {
  return strides.flatMap((stride) => {
    const [columns, rows] = [Math.floor(width / stride), Math.floor(height / stride)]
    return Array.from(
      { length: columns * rows },
      (_, i): Cell => ({ column: i % columns, row: Math.floor(i / columns), stride })
    )
  })
}

/** Finds the strides whose cells, each with `anchors` boxes, give exactly this number of boxes. */
export function stridesFor(
  boxes: number,
  size: { width: number; height: number },
  anchors: number
): readonly number[] | undefined {
  const countOf = (strides: readonly number[]) =>
    strides.reduce(
      (sum, stride) => sum + Math.floor(size.width / stride) * Math.floor(size.height / stride),
      0
    )
  return strideSets.find((strides) => countOf(strides) * anchors === boxes)
}
