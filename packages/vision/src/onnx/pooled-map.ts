// Maps of a detector whose cells are pooled into raw vectors, and the parts of raw vectors that
// they make.

/** Part of a raw vector that a map belongs to: single things, or kinds of things. */
export const mapParts = ['instance', 'kind'] as const
export type MapPart = (typeof mapParts)[number]
/** `gem`: generalised mean of the power 3, the default. `mean`: the plain mean of the values. */
export const mapPools = ['gem', 'mean'] as const
export type MapPool = (typeof mapPools)[number]

export interface PooledMap {
  /** Input pixels per cell; not always a whole number. */
  stride: number
  channels: number
  /** Cells per side of the pooled grid. */
  grid: number
  /** Length of the map's section of a raw vector, 1 by default. */
  weight?: number
  /** `instance` by default. */
  part?: MapPart
  /** `gem` by default. */
  pool?: MapPool
}
/** A contiguous part of raw vectors, from the first number to the one behind the last. */
export interface RawPart {
  name: string
  raw: readonly [from: number, to: number]
}
interface Embedder {
  dim: number
  kind: 'both' | 'semantic'
}

export const numbersOf = ({ channels, grid }: Pick<PooledMap, 'channels' | 'grid'>): number =>
  channels * grid ** 2

/** Options of a map that differ from the default, in a fixed order. */
export const optionsOf = ({
  weight,
  part,
  pool
}: Partial<PooledMap>): Pick<PooledMap, 'weight' | 'part' | 'pool'> => ({
  ...(weight !== undefined && { weight }),
  ...(part !== undefined && part !== mapParts[0] && { part }),
  ...(pool !== undefined && pool !== mapPools[0] && { pool })
})

/** Sorts maps into the order of a raw vector: those of single things first. */
export const inRawOrder = <T extends Pick<PooledMap, 'part'>>(maps: readonly T[]): T[] =>
  mapParts.flatMap((part) => maps.filter((map) => (map.part ?? mapParts[0]) === part))

/**
 * Parts of a raw vector, in its order: maps of single things, maps of kinds, then the embedder
 * beside the detector. An embedder of the kind `semantic` is the only part.
 */
export function rawPartsOf({
  maps,
  semantic
}: {
  maps: readonly PooledMap[]
  semantic?: Embedder | undefined
}): RawPart[] {
  const sizes = new Map<string, number>()
  if (semantic?.kind !== 'semantic')
    for (const map of inRawOrder(maps)) {
      const part = map.part ?? mapParts[0]
      sizes.set(part, (sizes.get(part) ?? 0) + numbersOf(map))
    }
  if (semantic !== undefined) sizes.set('semantic', semantic.dim)
  let next = 0
  return Array.from(sizes, ([name, size]): RawPart => {
    const from = next
    next += size
    return { name, raw: [from, next] }
  })
}

/** Numbers in a raw vector: of each map, then of the embedder. */
export const rawDimOf = (maps: readonly PooledMap[], semantic?: Embedder): number =>
  rawPartsOf({ maps, semantic }).at(-1)?.raw[1] ?? 0

export interface MapTensor extends PooledMap {
  /** Name in the exporter's graph. */
  tensor: string
  half: boolean
}
