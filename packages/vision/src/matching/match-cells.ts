// Finds which parts of two boxes match: compares cells through the profile, then each pair with the
// pairs around it.
import { linearTransform } from '@likeness/faiss'
import type { Projection } from '@likeness/shared/contract/projection'
import { cellCount, cellGrid, cellMetric, cellsOf, withoutCommon } from './cells.ts'

/** Cells are numbered row by row. */
export interface CellMatch {
  query: number
  item: number
  strength: number
}
export interface CellMatches {
  /**
   * f32 [query cell, item cell], 0 to 1. 0: as near as the best cell of another picture. 1: as near
   * as the clearest of the same thing.
   */
  strengths: Float32Array
  /**
   * Pairs in which each is the other's best, strongest first. Empty: no sign that these are the
   * same thing.
   */
  matches: CellMatch[]
}

/** Similarity of a pair below which the pair counts against its neighbours. */
const neutral = 0.2
/**
 * Weights of the pairs beside and diagonally from a pair: cells that are neighbours in a box are
 * neighbours in the other.
 */
const neighbours = { beside: 0.5, diagonal: 0.35 }
/**
 * Agreement of unrelated boxes: the best of a cell's nine is above `faint` half of the time. The
 * clearest fifth of the cells of the same thing reaches `clear`.
 */
const scale = { faint: 0.1, clear: 0.4 }
/**
 * Unrelated pictures have half a pair above this strength. Two views of a thing have four to five,
 * and seven of eight are right.
 */
const leastStrength = 1 / 3

export interface MatchCellsOptions {
  /** Profile of the collection's searches. */
  profile: Projection
  /** `cellStarts` of the model. */
  starts: readonly number[]
}

/** Raw vectors f32 [rawDim]. */
export async function matchCells(
  query: Float32Array,
  item: Float32Array,
  { profile, starts }: MatchCellsOptions
): Promise<CellMatches> {
  const channels = starts.length
  const cells = [query, item].map((raw) =>
    withoutCommon(cellsOf(raw, starts), { starts, profile })
  ) as [Float32Array, Float32Array]
  const agreements = agreementOf(
    await similaritiesOf(cells, await cellMetric(profile, starts), channels)
  )
  const strengths = agreements.map((value) =>
    Math.min(1, Math.max(0, (value - scale.faint) / (scale.clear - scale.faint)))
  )
  const matches = mutualBest(agreements).map(([q, i]) => ({
    query: q,
    item: i,
    strength: strengths[q * cellCount + i]!
  }))
  return {
    strengths,
    matches: matches
      .filter(({ strength }) => strength >= leastStrength)
      .sort((a, b) => b.strength - a.strength)
  }
}

/** Cosines through the metric, [query cell, item cell]. */
async function similaritiesOf(
  [a, b]: [Float32Array, Float32Array],
  metric: Float32Array,
  channels: number
): Promise<Float32Array> {
  const [throughA, throughB] = await Promise.all(
    [a, b].map((cells) => linearTransform(cells, { matrix: metric, dIn: channels, dOut: channels }))
  )
  const product = (x: Float32Array, i: number, y: Float32Array, j: number): number => {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += x[i * channels + c]! * y[j * channels + c]!
    return sum
  }
  const lengths = (cells: Float32Array, through: Float32Array) =>
    Array.from({ length: cellCount }, (_, i) => Math.sqrt(product(cells, i, through, i)))
  const [lengthsA, lengthsB] = [lengths(a, throughA!), lengths(b, throughB!)]
  return Float32Array.from({ length: cellCount ** 2 }, (_, at) => {
    const [i, j] = [Math.floor(at / cellCount), at % cellCount]
    return product(a, i, throughB!, j) / Math.max(Number.MIN_VALUE, lengthsA[i]! * lengthsB[j]!)
  })
}

const steps = [-1, 0, 1].flatMap((down) =>
  [-1, 0, 1].map((across) => ({
    down,
    across,
    weight: [1, neighbours.beside, neighbours.diagonal][Math.abs(down) + Math.abs(across)]!
  }))
)
const wholeWeight = steps.reduce((sum, { weight }) => sum + weight, 0)

/**
 * Agreement of each pair with the pairs around it at the same offset in both boxes. Pairs outside
 * the grid do not count.
 */
function agreementOf(similarities: Float32Array): Float32Array {
  return similarities.map((_, at) => {
    const [query, item] = [Math.floor(at / cellCount), at % cellCount]
    let sum = 0
    for (const { down, across, weight } of steps) {
      const [q, i] = [moved(query, down, across), moved(item, down, across)]
      if (q !== undefined && i !== undefined)
        sum += weight * (similarities[q * cellCount + i]! - neutral)
    }
    return sum / wholeWeight
  })
}

function moved(cell: number, down: number, across: number): number | undefined {
  const [row, column] = [Math.floor(cell / cellGrid) + down, (cell % cellGrid) + across]
  return row >= 0 && row < cellGrid && column >= 0 && column < cellGrid
    ? row * cellGrid + column
    : undefined
}

function mutualBest(values: Float32Array): [number, number][] {
  const cells = Array.from({ length: cellCount }, (_, i) => i)
  const best = (of: (cell: number) => number): number =>
    cells.reduce((top, cell) => (of(cell) > of(top) ? cell : top), 0)
  const bestItem = cells.map((q) => best((i) => values[q * cellCount + i]!))
  return cells.flatMap((q): [number, number][] =>
    best((other) => values[other * cellCount + bestItem[q]!]!) === q ? [[q, bestItem[q]!]] : []
  )
}
