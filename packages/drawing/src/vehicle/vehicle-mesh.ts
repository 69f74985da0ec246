// A vehicle as a solid thing: body, cabin, wheels and the load on the roof. Metres; the front is at
// the left, the side towards the viewer.
import { drawSvg, svgDocument } from '../draw-svg.ts'
import { box, quad, sheet, type Surface, type Vec3 } from '../mesh.ts'
import type { Rgb, Sprite } from '../pixels.ts'
import { frontArt, loadArt, rearArt, scale, sideArt, wheelArt } from './vehicle-art.ts'
import type { Model, Vehicle } from './vehicle-identity.ts'

const rgbOf = (hex: string): Rgb =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb
const drawArt = ({
  body,
  width,
  height
}: {
  body: string
  width: number
  height: number
}): Promise<Sprite> => drawSvg(svgDocument(Math.round(width), Math.round(height), body))

const bodyGloss = 0.35
const glass: Rgb = [40, 52, 62]
const rubber: Rgb = [22, 22, 24]

const mix = (a: number, b: number, t: number): number => a + (b - a) * t

/** Upper edge of the body: bonnet, belt, boot. */
function topAt({ length, nose, belt, tail, cabin }: Model, x: number): number {
  const [front, rear] = [-length / 2, length / 2]
  if (x < cabin[0])
    return mix(
      nose,
      belt,
      Math.sin(((x - front) / Math.max(0.01, cabin[0] - front)) * (Math.PI / 2))
    )
  if (x > cabin[1])
    return mix(belt, tail, Math.min(1, (x - cabin[1]) / Math.max(0.01, rear - cabin[1])))
  return belt
}

/** Half of the width: rounded in towards both ends. */
function halfWidthAt({ length, width, body }: Model, x: number): number {
  const fromEnd = length / 2 - Math.abs(x)
  const rounding = body === 'bus' || body === 'truck' ? 0.05 : 0.14
  return (width / 2) * (1 - rounding * Math.max(0, 1 - fromEnd / 0.7) ** 2)
}

/** Lays the picture of the side on from the side: bent parts keep their place. */
function fromSide(surface: Surface, { length, roof }: Model): Surface {
  return {
    ...surface,
    vertices: surface.vertices.map((vertex) => ({
      ...vertex,
      uv: [(vertex.at[0] + length / 2) / length, 1 - vertex.at[1] / roof] as const
    }))
  }
}

function bodySurfaces(
  model: Model,
  side: Sprite,
  color: Rgb,
  ends: { front: Sprite; rear: Sprite }
): Surface[] {
  const { length, floor } = model
  const x = (u: number): number => (u - 0.5) * length
  const flank = sheet(
    (u, v) => {
      const top = topAt(model, x(u))
      const bulge = 1 - 0.05 * v ** 3 - 0.07 * Math.max(0, 1 - 6 * v) ** 2
      return [x(u), mix(top, floor, v), halfWidthAt(model, x(u)) * bulge]
    },
    { columns: 36, rows: 8, paint: side, gloss: bodyGloss }
  )
  const upper = sheet(
    (u, v) => {
      const w = halfWidthAt(model, x(u)) * 0.93
      return [x(u), topAt(model, x(u)) + 0.03 * (1 - (2 * v - 1) ** 2), mix(-w, w, v)]
    },
    { columns: 30, rows: 4, paint: color, gloss: bodyGloss }
  )
  const [wf, wr] = [halfWidthAt(model, -length / 2), halfWidthAt(model, length / 2)]
  const [front, rear] = [-length / 2, length / 2]
  const [nose, tail] = [topAt(model, front), topAt(model, rear)]
  return [
    fromSide(flank, model),
    upper,
    quad(
      [
        [front, nose, -wf],
        [front, nose, wf],
        [front, floor, wf],
        [front, floor, -wf]
      ],
      ends.front,
      0.2
    ),
    quad(
      [
        [rear, tail, wr],
        [rear, tail, -wr],
        [rear, floor, -wr],
        [rear, floor, wr]
      ],
      ends.rear,
      0.2
    )
  ]
}

function cabinSurfaces(model: Model, side: Sprite, color: Rgb, window: Sprite): Surface[] {
  const {
    belt,
    roof,
    cabin: [a, b, c, d],
    taper
  } = model
  const [low, high] = [halfWidthAt(model, 0) * 0.95, halfWidthAt(model, 0) * taper]
  const flank = sheet(
    (u, v) => [mix(mix(c, d, u), mix(a, b, u), v), mix(roof - 0.02, belt, v), mix(high, low, v)],
    { columns: 12, rows: 6, paint: side, gloss: bodyGloss }
  )
  const top = sheet(
    (u, v) => [
      mix(c, d, u),
      roof -
        0.02 +
        0.05 * (1 - (2 * v - 1) ** 2) * Math.sin(Math.PI * Math.min(1, Math.max(0, u))) ** 0.5,
      mix(-high, high, v)
    ],
    { columns: 12, rows: 6, paint: color, gloss: bodyGloss }
  )
  return [
    fromSide(flank, model),
    top,
    quad(
      [
        [c, roof, -high],
        [c, roof, high],
        [a, belt, low],
        [a, belt, -low]
      ],
      window,
      0.7
    ),
    quad(
      [
        [d, roof, high],
        [d, roof, -high],
        [b, belt, -low],
        [b, belt, low]
      ],
      window,
      0.7
    )
  ]
}

function disk(x: number, z: number, radius: number, paint: Sprite): Surface {
  return quad(
    [
      [x - radius, 2 * radius, z],
      [x + radius, 2 * radius, z],
      [x + radius, 0, z],
      [x - radius, 0, z]
    ],
    paint,
    0.1
  )
}

function wheelSurfaces({ axles, width, wheel }: Model, rim: Sprite, tyre: Sprite): Surface[] {
  const outside = width / 2
  return axles.flatMap((x) => [
    ...[-outside, -outside + 0.12, outside - 0.24, outside - 0.16, outside - 0.08].map((z) =>
      disk(x, z, wheel, tyre)
    ),
    disk(x, outside + 0.012, wheel, rim)
  ])
}

function roofLoadSurfaces({ roofLoad, model }: Vehicle): Surface[] {
  const {
    cabin: [, , from, to],
    roof,
    taper
  } = model
  const half = (model.width / 2) * taper * 0.92
  const metal: Rgb = [52, 54, 58]
  const bar = (a: Vec3, b: Vec3, paint: Rgb = metal): Surface[] => box(a, b, { front: paint }, 0.2)
  const y = roof + 0.03
  const cross = [0.2, 0.75].flatMap((part) =>
    bar([mix(from, to, part), y, -half], [mix(from, to, part) + 0.07, y + 0.06, half])
  )
  switch (roofLoad) {
    case 'none':
      return []
    case 'bars':
      return [half - 0.06, -half].flatMap((z) =>
        bar([from + 0.15, y, z], [to - 0.1, y + 0.07, z + 0.06], [150, 152, 156])
      )
    case 'rack':
      return [
        ...cross,
        ...[half - 0.05, -half].flatMap((z) =>
          bar([from + 0.2, y + 0.06, z], [to - 0.15, y + 0.2, z + 0.05])
        ),
        ...bar([from + 0.2, y + 0.06, -half], [from + 0.25, y + 0.2, half])
      ]
    case 'box':
      return [
        ...cross,
        ...box(
          [from + 0.25, y + 0.06, -half * 0.6],
          [Math.min(to - 0.1, from + 2), y + 0.32, half * 0.7],
          { front: [30, 31, 34] },
          0.5
        )
      ]
    case 'ladder':
      return [
        ...cross,
        ...[half * 0.7, half * 0.2].flatMap((z) =>
          bar([from, y + 0.07, z], [to, y + 0.14, z + 0.06], [190, 160, 70])
        ),
        ...Array.from({ length: 9 }, (_, i) =>
          bar(
            [mix(from, to, (i + 0.5) / 9), y + 0.08, half * 0.2],
            [mix(from, to, (i + 0.5) / 9) + 0.05, y + 0.12, half * 0.7],
            [190, 160, 70]
          )
        ).flat()
      ]
  }
}

async function truckLoad(vehicle: Vehicle): Promise<Surface[]> {
  const { model } = vehicle
  const [from, to, low, high] = [model.cabin[1] + 0.12, model.length / 2, 0.95, 3.05]
  const [width, height] = [(to - from) * scale, (high - low) * scale]
  const side = await drawArt({ body: loadArt(vehicle, width, height), width, height })
  const rear = await drawArt({
    body: `<rect width="100%" height="100%" fill="#d9dbdc"/><rect x="49%" width="2%" height="100%" fill="#777"/>`,
    width: model.width * scale,
    height
  })
  const half = model.width / 2
  return box(
    [from, low, -half],
    [to, high, half],
    { front: side, left: [200, 202, 204], right: rear, top: [225, 226, 228] },
    0.1
  )
}

const tyreArt = '<circle cx="50" cy="50" r="49" fill="#141416"/>'
const windowArt = (color: string): string =>
  `<rect width="200" height="120" fill="${color}"/><path d="M14 8H186L192 112H8Z" fill="rgb(${glass.join()})"/><path d="M40 112L90 8H110L60 112Z" fill="rgba(255,255,255,.12)"/>`

/** Makes a vehicle that stands on y = 0. */
export async function makeVehicle(vehicle: Vehicle): Promise<Surface[]> {
  const { model, color } = vehicle
  const front = frontArt(vehicle, topAt(model, -model.length / 2) - model.floor)
  const rear = rearArt(vehicle, topAt(model, model.length / 2) - model.floor)
  const [side, frontPicture, rearPicture, rim, tyre, window] = await Promise.all([
    drawArt(sideArt(vehicle)),
    drawArt(front),
    drawArt(rear),
    drawSvg(svgDocument(200, 200, wheelArt(vehicle))),
    drawSvg(svgDocument(100, 100, tyreArt)),
    drawSvg(svgDocument(200, 120, windowArt(color)))
  ])
  const paint = rgbOf(color)
  const mirrorAt: Vec3 = [model.cabin[0] + 0.35, model.belt + 0.02, model.width / 2 - 0.06]
  return [
    ...bodySurfaces(model, side, paint, { front: frontPicture, rear: rearPicture }),
    ...cabinSurfaces(model, side, paint, window),
    ...(model.body === 'truck' ? await truckLoad(vehicle) : []),
    ...roofLoadSurfaces(vehicle),
    ...box(
      mirrorAt,
      [mirrorAt[0] + 0.14, mirrorAt[1] + 0.16, mirrorAt[2] + 0.22],
      { front: vehicle.hasBlackTrim ? rubber : paint },
      0.2
    ),
    ...wheelSurfaces(model, rim, tyre)
  ]
}
