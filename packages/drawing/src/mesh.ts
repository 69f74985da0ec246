// Solid things as triangles: sheets, boxes, bodies of revolution. x right, y up, z towards the
// viewer; any unit of length.
import type { Rgb, Sprite } from './pixels.ts'

export type Vec3 = readonly [number, number, number]
export type Uv = readonly [number, number]
export interface Vertex {
  at: Vec3
  /** Unit length. */
  normal: Vec3
  /** (0, 0) is the top left of the picture, (1, 1) the bottom right. */
  uv: Uv
}
export interface Surface {
  vertices: readonly Vertex[]
  triangles: readonly (readonly [number, number, number])[]
  /** A picture laid on by uv, or a single colour. */
  paint: Sprite | Rgb
  /** Shine: 0 is paper, 1 a wet stone. */
  gloss?: number
}

export const minus = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
export const times = (a: Vec3, k: number): Vec3 => [a[0] * k, a[1] * k, a[2] * k]
const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0]
]
export function unit(a: Vec3): Vec3 {
  const length = Math.hypot(...a)
  return length === 0 ? [0, 0, 1] : times(a, 1 / length)
}

/**
 * Makes a flat surface. The corners come in the order top left, top right, bottom right, bottom
 * left as seen from outside.
 */
export function quad(
  corners: readonly [Vec3, Vec3, Vec3, Vec3],
  paint: Sprite | Rgb,
  gloss = 0
): Surface {
  const [a, b, , d] = corners
  const normal = unit(cross(minus(d, a), minus(b, a)))
  const uvs: Uv[] = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1]
  ]
  return {
    vertices: corners.map((at, i) => ({ at, normal, uv: uvs[i]! })),
    triangles: [
      [0, 1, 2],
      [0, 2, 3]
    ],
    paint,
    gloss
  }
}

/** Makes a grid of points: `at(u, v)` for u and v from 0 to 1. Normals come from the neighbours. */
export function sheet(
  at: (u: number, v: number) => Vec3,
  {
    columns,
    rows,
    paint,
    gloss = 0
  }: { columns: number; rows: number; paint: Sprite | Rgb; gloss?: number }
): Surface {
  const step = 1e-3
  const vertices: Vertex[] = []
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const [u, v] = [column / columns, row / rows]
      const [u0, u1, v0, v1] = [
        Math.max(0, u - step),
        Math.min(1, u + step),
        Math.max(0, v - step),
        Math.min(1, v + step)
      ]
      const normal = unit(cross(minus(at(u, v1), at(u, v0)), minus(at(u1, v), at(u0, v))))
      vertices.push({ at: at(u, v), normal, uv: [u, v] })
    }
  }
  return { vertices, triangles: gridTriangles(columns, rows), paint, gloss }
}

function gridTriangles(columns: number, rows: number): [number, number, number][] {
  const triangles: [number, number, number][] = []
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * (columns + 1) + column
      triangles.push([at, at + 1, at + columns + 2], [at, at + columns + 2, at + columns + 1])
    }
  }
  return triangles
}

export interface BoxFaces {
  front: Sprite | Rgb
  back?: Sprite | Rgb
  left?: Sprite | Rgb
  right?: Sprite | Rgb
  top?: Sprite | Rgb
  bottom?: Sprite | Rgb
}

/**
 * Makes a box between two opposite corners; `low` is left, below and behind. Missing faces look
 * like the front.
 */
export function box(
  [x0, y0, z0]: Vec3,
  [x1, y1, z1]: Vec3,
  { front, back = front, left = front, right = front, top = front, bottom = top }: BoxFaces,
  gloss = 0
): Surface[] {
  return [
    quad(
      [
        [x0, y1, z1],
        [x1, y1, z1],
        [x1, y0, z1],
        [x0, y0, z1]
      ],
      front,
      gloss
    ),
    quad(
      [
        [x1, y1, z0],
        [x0, y1, z0],
        [x0, y0, z0],
        [x1, y0, z0]
      ],
      back,
      gloss
    ),
    quad(
      [
        [x0, y1, z0],
        [x0, y1, z1],
        [x0, y0, z1],
        [x0, y0, z0]
      ],
      left,
      gloss
    ),
    quad(
      [
        [x1, y1, z1],
        [x1, y1, z0],
        [x1, y0, z0],
        [x1, y0, z1]
      ],
      right,
      gloss
    ),
    quad(
      [
        [x0, y1, z0],
        [x1, y1, z0],
        [x1, y1, z1],
        [x0, y1, z1]
      ],
      top,
      gloss
    ),
    quad(
      [
        [x0, y0, z1],
        [x1, y0, z1],
        [x1, y0, z0],
        [x0, y0, z0]
      ],
      bottom,
      gloss
    )
  ]
}

/**
 * (height, radius) from the top down, turned about the y axis. The middle of the picture faces the
 * viewer.
 */
export type Profile = readonly (readonly [number, number])[]

export function revolve(
  profile: Profile,
  { paint, gloss = 0, segments = 40 }: { paint: Sprite | Rgb; gloss?: number; segments?: number }
): Surface {
  const lengths = [0]
  for (let i = 1; i < profile.length; i++)
    lengths.push(
      lengths[i - 1]! +
        Math.hypot(profile[i]![0] - profile[i - 1]![0], profile[i]![1] - profile[i - 1]![1])
    )
  const total = lengths.at(-1)!
  const vertices: Vertex[] = []
  for (const [i, [y, radius]] of profile.entries()) {
    const [before, after] = [
      profile[Math.max(0, i - 1)]!,
      profile[Math.min(profile.length - 1, i + 1)]!
    ]
    const slope: [number, number] = [before[0] - after[0], after[1] - before[1]]
    for (let segment = 0; segment <= segments; segment++) {
      const angle = 2 * Math.PI * (segment / segments - 0.5)
      const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
      vertices.push({
        at: [radius * sin, y, radius * cos],
        normal: unit([slope[0] * sin, slope[1], slope[0] * cos]),
        uv: [segment / segments, lengths[i]! / total]
      })
    }
  }
  return { vertices, triangles: gridTriangles(segments, profile.length - 1), paint, gloss }
}

/** Makes a round lid or bottom at height y, seen from above (or below). */
export function disc({
  y,
  radius,
  paint,
  isUp = true,
  gloss = 0
}: {
  y: number
  radius: number
  paint: Sprite | Rgb
  isUp?: boolean
  gloss?: number
}): Surface {
  const segments = 40
  const normal: Vec3 = [0, isUp ? 1 : -1, 0]
  const vertices: Vertex[] = [{ at: [0, y, 0], normal, uv: [0.5, 0.5] }]
  for (let i = 0; i < segments; i++) {
    const [sin, cos] = [
      Math.sin((2 * Math.PI * i) / segments),
      Math.cos((2 * Math.PI * i) / segments)
    ]
    vertices.push({
      at: [radius * sin, y, radius * cos],
      normal,
      uv: [0.5 + sin / 2, 0.5 + cos / 2]
    })
  }
  return {
    vertices,
    triangles: Array.from(
      { length: segments },
      (_, i) => [0, 1 + i, 1 + ((i + 1) % segments)] as const
    ),
    paint,
    gloss
  }
}
