// Maps that an export's metadata declares for pooling, besides the backbone's.
import { messageOf } from '@likeness/shared/errors'
import type { OnnxModel } from './onnx-proto.ts'
import { mapParts, mapPools, optionsOf, type PooledMap } from './pooled-map.ts'
import { grids } from './pooling.ts'
import { unsupported } from './unsupported-layout.ts'

/** `tensor`: name in the exporter's graph, of an output or an inner tensor. */
export type DeclaredMap = { tensor: string } & Pick<PooledMap, 'grid' | 'weight' | 'part' | 'pool'>

/** Metadata key; the value is JSON: a list of declared maps. */
const mapsKey = 'likeness_maps'
/** Metadata key; the value `none` leaves out the maps of the backbone. */
const backboneKey = 'likeness_backbone'
const noBackbone = 'none'

type Metadata = Pick<OnnxModel, 'metadataProps'>
const valueOf = ({ metadataProps }: Metadata, wanted: string): string | undefined =>
  metadataProps.find(({ key }) => key === wanted)?.value

/**
 * Whether the maps between backbone and neck are pooled. Throws `invalid_request` "unsupported
 * layout: ..." for an unknown value.
 */
export function poolsBackbone(model: Metadata): boolean {
  const value = valueOf(model, backboneKey)
  if (value !== undefined && value !== noBackbone)
    throw unsupported(`${backboneKey} is ${value}, ${noBackbone} or no such entry is needed`)
  return value === undefined
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
      `${mapsKey} is ${text}, a list of {"tensor": name, "grid": ${grids.join(' or ')}, "weight": more than 0, "part": ${mapParts.join(' or ')}, "pool": ${mapPools.join(' or ')}} is needed; the last three may be left out`
    )
  return listed.map(({ tensor, grid, ...options }) => ({ tensor, grid, ...optionsOf(options) }))
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
    weight = 1,
    part = mapParts[0],
    pool = mapPools[0]
  } = (value ?? {}) as Partial<DeclaredMap>
  return (
    typeof tensor === 'string' &&
    grids.some((known) => known === grid) &&
    typeof weight === 'number' &&
    weight > 0 &&
    mapParts.includes(part) &&
    mapPools.includes(pool)
  )
}
