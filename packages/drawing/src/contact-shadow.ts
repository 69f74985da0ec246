// Darkens the ground under a thing that stands there.
import type { Surface } from './mesh.ts'

const side = 48

/** Surface on the plane y = 0, around the middle; drawn before the thing. `strength`: 0-1. */
export function contactShadow({
  halfWidth: w,
  halfDepth: d,
  strength
}: {
  halfWidth: number
  halfDepth: number
  strength: number
}): Surface {
  const rgba = new Uint8Array(4 * side * side)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const reach = Math.max(0, 1 - Math.hypot(x / (side - 1) - 0.5, y / (side - 1) - 0.5) * 2)
      rgba[4 * (y * side + x) + 3] = Math.round(255 * strength * Math.min(1, reach * 1.6) ** 1.5)
    }
  }
  const corner = (x: number, z: number): Surface['vertices'][number] => ({
    at: [x * w, 0, z * d],
    normal: [0, 1, 0],
    uv: [(x + 1) / 2, (z + 1) / 2]
  })
  return {
    vertices: [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)],
    triangles: [
      [0, 1, 2],
      [0, 2, 3]
    ],
    paint: { width: side, height: side, rgba }
  }
}
