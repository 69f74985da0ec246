// Draws solid things as a camera sees them: perspective, hidden parts, light and shine. Plain
// numbers, the same on every machine.
import { type Surface, unit, type Vec3, type Vertex } from './mesh.ts'
import type { Sprite } from './pixels.ts'

export interface View {
  /**
   * Degrees. The thing is turned about the upright axis, then the top is tipped towards the camera,
   * then the picture is turned.
   */
  yaw: number
  pitch: number
  roll: number
  /** Distance of the camera, in radii of the thing: 3 is near, 12 far. */
  distance: number
  /** Longest side of the result, pixels. */
  size: number
  /** Direction of the light, as the camera sees it. */
  light: Vec3
  /** Light in the shade, 0-1. */
  ambient: number
  /** Strength of the light by channel. */
  tint: Vec3
}

const samples = 2
const radians = Math.PI / 180

type Turn = (at: Vec3) => Vec3

function turnOf({ yaw, pitch, roll }: View): Turn {
  const [cy, sy, cp, sp, cr, sr] = [yaw, pitch, roll].flatMap((angle) => [
    Math.cos(angle * radians),
    Math.sin(angle * radians)
  ]) as [number, number, number, number, number, number]
  return ([x, y, z]) => {
    const [x1, z1] = [x * cy + z * sy, -x * sy + z * cy]
    const [y2, z2] = [y * cp - z1 * sp, y * sp + z1 * cp]
    return [x1 * cr - y2 * sr, x1 * sr + y2 * cr, z2]
  }
}

/** A projected point: pixels, 1 / depth, and the values for shading. */
interface Seen {
  x: number
  y: number
  near: number
  u: number
  v: number
  normal: Vec3
}

interface Buffer {
  width: number
  height: number
  /** Multiplied by alpha, 0-1. */
  rgba: Float32Array
  near: Float32Array
}

/**
 * Draws surfaces into a sprite as large as the visible part; alpha marks the thing. Surfaces with
 * alpha are laid over the earlier surfaces.
 */
export function renderMesh(surfaces: readonly Surface[], view: View): Sprite {
  const turn = turnOf(view)
  const points = surfaces.flatMap(({ vertices }) => vertices.map(({ at }) => at))
  const middle = middleOf(points)
  const turned = (at: Vec3): Vec3 => turn([at[0] - middle[0], at[1] - middle[1], at[2] - middle[2]])
  const radius = Math.max(...points.map((at) => Math.hypot(...turned(at))))
  const eye = radius * view.distance
  const project = (at: Vec3): [number, number, number] => {
    const [x, y, z] = turned(at)
    return [x / (eye - z), y / (eye - z), 1 / (eye - z)]
  }
  const flat = points.map(project)
  const [left, right] = rangeOf(flat.map(([x]) => x))
  const [bottom, top] = rangeOf(flat.map(([, y]) => y))
  const scale = (samples * view.size) / Math.max(right - left, top - bottom)
  const size = (extent: number): number =>
    samples * Math.max(1, Math.ceil((extent * scale) / samples))
  const buffer = createBuffer(size(right - left), size(top - bottom))
  for (const surface of surfaces) {
    const seen = surface.vertices.map(({ at, normal, uv }: Vertex): Seen => {
      const [x, y, near] = project(at)
      return {
        x: (x - left) * scale,
        y: (top - y) * scale,
        near,
        u: uv[0],
        v: uv[1],
        normal: turn(normal)
      }
    })
    const shade = shaderOf(surface, view)
    for (const [a, b, c] of surface.triangles)
      fillTriangle(buffer, [seen[a]!, seen[b]!, seen[c]!], shade)
  }
  return shrink(buffer)
}

const createBuffer = (width: number, height: number): Buffer => ({
  width,
  height,
  rgba: new Float32Array(4 * width * height),
  near: new Float32Array(width * height)
})

const rangeOf = (values: readonly number[]): [number, number] => [
  Math.min(...values),
  Math.max(...values)
]

function middleOf(points: readonly Vec3[]): Vec3 {
  const [x, y, z] = [0, 1, 2].map((axis) => rangeOf(points.map((at) => at[axis]!))) as [
    [number, number],
    [number, number],
    [number, number]
  ]
  return [(x[0] + x[1]) / 2, (y[0] + y[1]) / 2, (z[0] + z[1]) / 2]
}

/**
 * Place of a point on its surface, and a normal of length 1. The object is reused for each point.
 */
interface SurfacePoint {
  u: number
  v: number
  nx: number
  ny: number
  nz: number
}
/** Writes the colour of a point to `out`: r, g, b 0-255, alpha 0-1. */
type Shade = (out: Float64Array, point: SurfacePoint) => void

function shaderOf({ paint, gloss = 0 }: Surface, { light, ambient, tint }: View): Shade {
  const [lx, ly, lz] = unit(light)
  const [hx, hy, hz] = unit([lx, ly, lz + 1])
  const power = 12 + 50 * gloss
  const picture = 'rgba' in paint ? paint : undefined
  const [red, green, blue] = 'rgba' in paint ? [0, 0, 0] : paint
  return (out, { u, v, nx, ny, nz }) => {
    if (picture !== undefined) samplePicture(out, picture, u, v)
    else {
      out[0] = red
      out[1] = green
      out[2] = blue
      out[3] = 1
    }
    // A surface seen from behind is lit as if it were seen from the front.
    const side = nz < 0 ? -1 : 1
    const diffuse = Math.max(0, side * (nx * lx + ny * ly + nz * lz))
    const lit = ambient + (1 - ambient) * diffuse
    const shine =
      gloss === 0 ? 0 : 190 * gloss * Math.max(0, side * (nx * hx + ny * hy + nz * hz)) ** power
    out[0] = (out[0]! * lit + shine) * tint[0]
    out[1] = (out[1]! * lit + shine) * tint[1]
    out[2] = (out[2]! * lit + shine) * tint[2]
  }
}

/** Bilinear. A picture may be a single pixel wide or high. */
function samplePicture(
  out: Float64Array,
  { width, height, rgba }: Sprite,
  u: number,
  v: number
): void {
  const x = Math.max(0, Math.min(width - 1.001, u * width - 0.5))
  const y = Math.max(0, Math.min(height - 1.001, v * height - 0.5))
  const column = Math.floor(x)
  const row = Math.floor(y)
  const fx = x - column
  const fy = y - row
  const at = 4 * (row * width + column)
  const right = width > 1 ? 4 : 0
  const below = height > 1 ? 4 * width : 0
  const w0 = (1 - fx) * (1 - fy) * rgba[at + 3]!
  const w1 = fx * (1 - fy) * rgba[at + right + 3]!
  const w2 = (1 - fx) * fy * rgba[at + below + 3]!
  const w3 = fx * fy * rgba[at + right + below + 3]!
  const weight = w0 + w1 + w2 + w3
  out[3] = weight / 255
  if (weight === 0) return
  for (let c = 0; c < 3; c++)
    out[c] =
      (rgba[at + c]! * w0 +
        rgba[at + right + c]! * w1 +
        rgba[at + below + c]! * w2 +
        rgba[at + right + below + c]! * w3) /
      weight
}

function fillTriangle(
  { width, height, rgba, near }: Buffer,
  [a, b, c]: [Seen, Seen, Seen],
  shade: Shade
): void {
  const area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
  if (Math.abs(area) < 1e-9) return
  const out = new Float64Array(4)
  const point: SurfacePoint = { u: 0, v: 0, nx: 0, ny: 0, nz: 0 }
  const [x0, x1] = [
    Math.max(0, Math.floor(Math.min(a.x, b.x, c.x))),
    Math.min(width - 1, Math.ceil(Math.max(a.x, b.x, c.x)))
  ]
  const [y0, y1] = [
    Math.max(0, Math.floor(Math.min(a.y, b.y, c.y))),
    Math.min(height - 1, Math.ceil(Math.max(a.y, b.y, c.y)))
  ]
  const stepB = (c.y - a.y) / area
  const stepC = (a.y - b.y) / area
  for (let y = y0; y <= y1; y++) {
    let wb = ((x0 - 0.5 - a.x) * (c.y - a.y) - (y + 0.5 - a.y) * (c.x - a.x)) / area
    let wc = ((b.x - a.x) * (y + 0.5 - a.y) - (b.y - a.y) * (x0 - 0.5 - a.x)) / area
    for (let x = x0; x <= x1; x++) {
      wb += stepB
      wc += stepC
      const wa = 1 - wb - wc
      if (wa < 0 || wb < 0 || wc < 0) continue
      const depth = wa * a.near + wb * b.near + wc * c.near
      const pixel = y * width + x
      if (depth <= near[pixel]!) continue
      const ka = (wa * a.near) / depth
      const kb = (wb * b.near) / depth
      const kc = (wc * c.near) / depth
      const nx = ka * a.normal[0] + kb * b.normal[0] + kc * c.normal[0]
      const ny = ka * a.normal[1] + kb * b.normal[1] + kc * c.normal[1]
      const nz = ka * a.normal[2] + kb * b.normal[2] + kc * c.normal[2]
      const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1
      point.u = ka * a.u + kb * b.u + kc * c.u
      point.v = ka * a.v + kb * b.v + kc * c.v
      point.nx = nx / length
      point.ny = ny / length
      point.nz = nz / length
      shade(out, point)
      const alpha = out[3]!
      if (alpha < 0.004) continue
      if (alpha > 0.5) near[pixel] = depth
      const old = 1 - alpha
      for (let i = 0; i < 3; i++)
        rgba[4 * pixel + i] = rgba[4 * pixel + i]! * old + (Math.min(255, out[i]!) / 255) * alpha
      rgba[4 * pixel + 3] = rgba[4 * pixel + 3]! * (1 - alpha) + alpha
    }
  }
}

function shrink({ width, height, rgba }: Buffer): Sprite {
  const small = {
    width: width / samples,
    height: height / samples,
    rgba: new Uint8Array((4 * width * height) / samples ** 2)
  }
  const sum = new Float64Array(4)
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      sum.fill(0)
      for (let dy = 0; dy < samples; dy++) {
        for (let dx = 0; dx < samples; dx++) {
          const from = 4 * ((samples * y + dy) * width + samples * x + dx)
          for (let c = 0; c < 4; c++) sum[c]! += rgba[from + c]!
        }
      }
      const to = 4 * (y * small.width + x)
      const cover = sum[3]!
      if (cover === 0) continue
      for (let c = 0; c < 3; c++) small.rgba[to + c] = Math.round((255 * sum[c]!) / cover)
      small.rgba[to + 3] = Math.round((255 * cover) / samples ** 2)
    }
  }
  return small
}
