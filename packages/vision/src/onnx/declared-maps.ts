// Maps that an export's metadata declares for pooling, besides the backbone's.
import { messageOf } from '@likeness/shared/errors'
import type { OnnxModel } from './onnx-proto.ts'
import {
  type MapPart,
  mapParts,
  mapPools,
  optionsOf,
  type PooledMap,
  usualPart
} from './pooled-map.ts'
import { grids } from './pooling.ts'
import { unsupported } from './unsupported-layout.ts'

/**
 * `tensor`: name in the exporter's graph, of an output or an inner tensor. `crops`: a tensor that a
 * Resize makes of the picture, and that `tensor` is made of: it is made of each box instead.
 */
export type DeclaredMap = { tensor: string; crops?: string } & Pick<
  PooledMap,
  'grid' | 'weight' | 'part' | 'pool'
>

/** Metadata key; the value is JSON: a list of declared maps. */
const mapsKey = 'likeness_maps'
/**
 * Metadata key. `none` leaves out the maps of the backbone; `cells` keeps them to compare the cells
 * of boxes, but not in vectors.
 */
const backboneKey = 'likeness_backbone'

type Metadata = Pick<OnnxModel, 'metadataProps'>
const valueOf = ({ metadataProps }: Metadata, wanted: string): string | undefined =>
  metadataProps.find(({ key }) => key === wanted)?.value

/**
 * Part that the maps between backbone and neck belong to; undefined where they are left out. Throws
 * `invalid_request` "unsupported layout: ..." for an unknown value.
 */
export function backbonePartOf(model: Metadata): MapPart | undefined {
  const value = valueOf(model, backboneKey)
  if (value === undefined) return usualPart
  if (value === 'cells') return value
  if (value === 'none') return undefined
  throw unsupported(`${backboneKey} is ${value}, none, cells or no such entry is needed`)
}

/**
 * Maps in the order of the list; empty where the metadata has no such entry. Throws
 * `invalid_request` "unsupported layout: ..." for another value.
 */
export function readDeclaredMaps(model: Metadata): DeclaredMap[] {
  const text = valueOf(model, mapsKey)
  if (text === undefined) return []
  const listed = parseJson(text)
  if (!Array.isArray(listed) || !listed.every(isDeclaredMap))
    throw unsupported(
      `${mapsKey} is ${text}, a list of {"tensor": name, "grid": ${grids.join(' or ')}, "weight": more than 0, "part": ${mapParts.join(' or ')}, "pool": ${mapPools.join(' or ')}, "crops": name} is needed; the last four may be left out, and with crops the grid is 1`
    )
  return listed.map(({ tensor, grid, crops, weight, part, pool }) => ({
    tensor,
    grid,
    ...(crops !== undefined && { crops }),
    ...optionsOf({ weight, part, pool } as Partial<PooledMap>)
  }))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unsupported(`${mapsKey} is no JSON: ${messageOf(error)}`, error)
  }
}

function isDeclaredMap(value: unknown): value is DeclaredMap {
  const {
    tensor,
    grid,
    crops,
    weight = 1,
    part = usualPart,
    pool = mapPools[0]
  } = (value ?? {}) as Partial<DeclaredMap>
  return (
    typeof tensor === 'string' &&
    grids.some((known) => known === grid) &&
    typeof weight === 'number' &&
    weight > 0 &&
    mapParts.includes(part) &&
    mapPools.includes(pool) &&
    (crops === undefined || (typeof crops === 'string' && grid === 1))
  )
}
