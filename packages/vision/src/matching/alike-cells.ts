// Measures the similarity of two boxes, part by part. Parts that are covered in a box do not count.
import { linearTransform } from '@likeness/faiss'
import type { Projection } from '@likeness/shared/contract/projection'
import { cellCount, cellMetric, cellsOf, withoutCommon } from './cells.ts'

export interface AlikeCellsOptions {
  profile: Projection
  /** `cellStarts` of the model. */
  starts: readonly number[]
}

/** Number of counted cells: the three most different of nine are left out. */
const counted = 6

/**
 * `rows`: raw vectors f32 [rawDim]. The returned function gives the mean cosine, through the
 * profile, of the cells of row `a` and row `b` in the same places.
 */
export async function alikeCells(
  rows: readonly Float32Array[],
  { profile, starts }: AlikeCellsOptions
): Promise<(a: number, b: number) => number> {
  const channels = starts.length
  const perRow = channels * cellCount
  const cells = new Float32Array(rows.length * perRow)
  rows.forEach((raw, row) => cells.set(withoutCommon(cellsOf(raw, starts), channels), row * perRow))
  const through = await linearTransform(cells, {
    matrix: await metricOf(profile, starts),
    dIn: channels,
    dOut: channels
  })
  const product = (a: number, b: number, cell: number): number => {
    let sum = 0
    for (let c = 0; c < channels; c++)
      sum += cells[a * perRow + cell * channels + c]! * through[b * perRow + cell * channels + c]!
    return sum
  }
  const places = Array.from({ length: cellCount }, (_, cell) => cell)
  const lengths = rows.map((_, row) =>
    places.map((cell) => Math.sqrt(Math.max(0, product(row, row, cell))))
  )
  return (a, b) => {
    const cosines = places.map(
      (cell) =>
        product(a, b, cell) / Math.max(Number.MIN_VALUE, lengths[a]![cell]! * lengths[b]![cell]!)
    )
    return (
      cosines
        .sort((x, y) => y - x)
        .slice(0, counted)
        .reduce((sum, value) => sum + value, 0) / counted
    )
  }
}

const metrics = new WeakMap<Projection, Promise<Float32Array>>()

/** Made once for each profile in memory. */
function metricOf(profile: Projection, starts: readonly number[]): Promise<Float32Array> {
  const made = metrics.get(profile) ?? cellMetric(profile, starts)
  metrics.set(profile, made)
  return made
}
