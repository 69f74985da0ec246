// Maps besides the backbone's that an export wants vectors to be pooled from, as its metadata says.
import { messageOf } from '@likeness/shared/errors'
import type { OnnxModel } from './onnx-proto.ts'
import { grids } from './pooling.ts'
import { unsupported } from './unsupported-layout.ts'

export interface DeclaredMap {
  /** In the exporter's graph; an output of it or not. */
  tensor: string
  /** Cells per side that a box is divided into. */
  grid: number
  /** The length of its part of a raw vector; 1 where none is given, as of the backbone's maps. */
  weight?: number
}

/** Its value is JSON: a list of declared maps. */
const mapsKey = 'likeness_maps'

/** In the order of the list; none where the metadata has no such entry. Throws `invalid_request` "unsupported layout: ..." for what is no such list. */
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
