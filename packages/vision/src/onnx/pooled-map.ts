// Maps of a detector whose cells are pooled into raw vectors.
export interface PooledMap {
  /** Input pixels per cell. */
  stride: number
  channels: number
  /** Cells per side of the pooled grid. */
  grid: number
  /** Length of the map's part of a raw vector, 1 by default. */
  weight?: number
}
/** Numbers in a raw vector: of each map, then of the embedder. */
export function rawDimOf(
  maps: readonly PooledMap[],
  semantic?: { dim: number; kind: 'both' | 'semantic' }
): number {
  const own = maps.reduce((sum, map) => sum + map.channels * map.grid ** 2, 0)
  return semantic?.kind === 'semantic' ? semantic.dim : own + (semantic?.dim ?? 0)
}
export interface MapTensor extends PooledMap {
  /** Name in the exporter's graph. */
  tensor: string
  half: boolean
}
