// Maps that an export's metadata declares for pooling, besides the backbone's.
import { messageOf } from '@likeness/shared/errors'
import type { OnnxModel } from './onnx-proto.ts'
import { grids } from './pooling.ts'
import { unsupported } from './unsupported-layout.ts'

export interface DeclaredMap {
  /** Name in the exporter's graph, of an output or an inner tensor. */
  tensor: string
  /** Cells per side that a box is divided into. */
  grid: number
  /**
   * Length of the map's part of a raw vector; 1 when absent, the same as for the backbone's maps.
   */
  weight?: number
}

/** Metadata key; the value is JSON: a list of declared maps. */
const mapsKey = 'likeness_maps'

/**
 * Maps in the order of the list; empty where the metadata has no such entry. Throws
 * `invalid_request` "unsupported layout: ..." for another value.
 */
export function readDeclaredMaps({
  metadataProps
}: Pick<OnnxModel, 'metadataProps'>): DeclaredMap[] {
  const text = metadataProps.find(({ key }) => key === mapsKey)?.value
  if (text === undefined) return []
  const listed = parseJson(text)
  if (!Array.isArray(listed) || !listed.every(isDeclaredMap))
    throw unsupported(
      `${mapsKey} is ${text}, a list of {"tensor": name, "grid": ${grids.join(' or ')}, "weight": more than 0 or left out} is needed`
    )
  return listed.map(({ tensor, grid, weight }) => ({
    tensor,
    grid,
    ...(weight !== undefined && { weight })
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
  const { tensor, grid, weight = 1 } = (value ?? {}) as Partial<DeclaredMap>
  return (
    typeof tensor === 'string' &&
    grids.some((known) => known === grid) &&
    typeof weight === 'number' &&
    weight > 0
  )
}
