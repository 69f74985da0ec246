// Invents vehicles: shared models, and the marks that tell the vehicles of a model apart.
import { inventWord } from '../product/product-identity.ts'
import type { SeededRandom } from '../seeded-random.ts'

export const bodies = ['hatch', 'sedan', 'wagon', 'suv', 'pickup', 'van', 'bus', 'truck'] as const
export type Body = (typeof bodies)[number]

/** Metres. x runs from the front (negative) to the rear, y up from the ground. */
export interface Model {
  body: Body
  length: number
  width: number
  roof: number
  /** Underside of the body. */
  floor: number
  /** Upper edge of the body in front, at the foot of the windscreen, and behind. */
  nose: number
  belt: number
  tail: number
  /** The cabin: from and to on the belt, and on the roof. */
  cabin: readonly [number, number, number, number]
  /** Width of the roof, as a fraction of the body's width. */
  taper: number
  wheel: number
  axles: readonly number[]
  /** Shapes of lamps and grille. */
  lamps: 0 | 1 | 2
  grille: 0 | 1 | 2
  /** Number of side windows. */
  panes: number
}
export interface Vehicle {
  label: string
  model: Model
  /** SVG colours. */
  color: string
  rims: { spokes: number; color: string; style: 'spokes' | 'holes' | 'cover' }
  stripe: { kind: 'none' | 'sill' | 'belt' | 'double' | 'sweep'; color: string }
  lettering?: { word: string; color: string; plate?: string }
  roofLoad: 'none' | 'bars' | 'rack' | 'box' | 'ladder'
  numberPlate: string
  /** 0-1. */
  dirt: number
  dirtSeed: number
  /** Bumpers and sills left black. */
  hasBlackTrim: boolean
  isTinted: boolean
}

type Shape = Omit<Model, 'body' | 'lamps' | 'grille'>
const shapes: Record<Body, Shape> = {
  hatch: {
    length: 4,
    width: 1.75,
    roof: 1.48,
    floor: 0.2,
    nose: 0.74,
    belt: 0.96,
    tail: 1,
    cabin: [-1.08, 1.94, -0.34, 1.5],
    taper: 0.78,
    wheel: 0.31,
    axles: [-1.25, 1.3],
    panes: 2
  },
  sedan: {
    length: 4.6,
    width: 1.8,
    roof: 1.44,
    floor: 0.2,
    nose: 0.72,
    belt: 0.93,
    tail: 0.98,
    cabin: [-1.1, 1.66, -0.32, 0.95],
    taper: 0.76,
    wheel: 0.32,
    axles: [-1.4, 1.4],
    panes: 2
  },
  wagon: {
    length: 4.7,
    width: 1.8,
    roof: 1.5,
    floor: 0.2,
    nose: 0.74,
    belt: 0.95,
    tail: 0.98,
    cabin: [-1.15, 2.28, -0.38, 1.95],
    taper: 0.78,
    wheel: 0.32,
    axles: [-1.42, 1.4],
    panes: 3
  },
  suv: {
    length: 4.5,
    width: 1.92,
    roof: 1.76,
    floor: 0.3,
    nose: 0.95,
    belt: 1.14,
    tail: 1.16,
    cabin: [-1.15, 2.18, -0.5, 1.95],
    taper: 0.82,
    wheel: 0.38,
    axles: [-1.36, 1.36],
    panes: 3
  },
  pickup: {
    length: 5.2,
    width: 1.9,
    roof: 1.78,
    floor: 0.32,
    nose: 0.98,
    belt: 1.12,
    tail: 1.08,
    cabin: [-1.2, 0.62, -0.62, 0.5],
    taper: 0.82,
    wheel: 0.4,
    axles: [-1.65, 1.6],
    panes: 2
  },
  van: {
    length: 5.2,
    width: 2,
    roof: 2.3,
    floor: 0.25,
    nose: 0.98,
    belt: 1.25,
    tail: 1.25,
    cabin: [-2.05, 2.58, -1.2, 2.5],
    taper: 0.88,
    wheel: 0.34,
    axles: [-1.7, 1.6],
    panes: 1
  },
  bus: {
    length: 8.6,
    width: 2.4,
    roof: 2.95,
    floor: 0.3,
    nose: 1.2,
    belt: 1.25,
    tail: 1.25,
    cabin: [-4.28, 4.28, -4.1, 4.22],
    taper: 0.95,
    wheel: 0.46,
    axles: [-2.7, 2.4],
    panes: 6
  },
  truck: {
    length: 6.6,
    width: 2.3,
    roof: 2.45,
    floor: 0.5,
    nose: 1.25,
    belt: 1.3,
    tail: 0.85,
    cabin: [-3.28, -1.75, -3, -1.78],
    taper: 0.9,
    wheel: 0.46,
    axles: [-2.4, 2.1],
    panes: 1
  }
}

function inventModel(body: Body, random: SeededRandom): Model {
  const shape = shapes[body]
  const stretch = random.between(0.94, 1.06)
  const lift = random.between(0.96, 1.05)
  return {
    ...shape,
    body,
    length: shape.length * stretch,
    cabin: shape.cabin.map((x) => x * stretch) as unknown as Model['cabin'],
    axles: shape.axles.map((x) => x * stretch),
    roof: shape.roof * lift,
    belt: shape.belt * lift,
    nose: shape.nose * lift * random.between(0.94, 1.04),
    tail: shape.tail * lift,
    lamps: random.below(3) as Model['lamps'],
    grille: random.below(3) as Model['grille']
  }
}

// Colours of real roads: mostly white, black, greys; sometimes another colour.
const colors = [
  '#eef0f0',
  '#eef0f0',
  '#1c1d20',
  '#1c1d20',
  '#8d9298',
  '#8d9298',
  '#5a5f66',
  '#b9bdc1',
  '#a31e22',
  '#1f3f7d',
  '#2b5fb0',
  '#24543a',
  '#d8a21b',
  '#d65a1e',
  '#7a5a3c',
  '#5d2a56'
] as const
const workColors = [
  '#f2f3f3',
  '#f2f3f3',
  '#e7c21a',
  '#2b5fb0',
  '#b9bdc1',
  '#c8322b',
  '#2f7d4f'
] as const
const signColors = [
  '#b3171d',
  '#15407f',
  '#1b6e3a',
  '#e08a00',
  '#5b2a86',
  '#0d7f8c',
  '#222222'
] as const
const letters = 'ABCDEFGHJKLMNPRSTUVWXYZ'

const isWorkhorse = (body: Body): boolean => body === 'van' || body === 'truck' || body === 'bus'

function roofLoadFor(body: Body, random: SeededRandom): Vehicle['roofLoad'] {
  if (body === 'bus' || body === 'truck' || random.next() >= 0.45) return 'none'
  return random.pick(body === 'van' ? ['rack', 'ladder'] : ['bars', 'rack', 'box'])
}

function inventVehicle(label: string, model: Model, random: SeededRandom): Vehicle {
  const works = isWorkhorse(model.body)
  const sign = random.pick(signColors)
  const letter = (): string => letters[random.below(letters.length)]!
  return {
    label,
    model,
    color: random.pick(works ? workColors : colors),
    rims: {
      spokes: random.pick([5, 6, 7, 10]),
      color: works
        ? random.pick(['#9a9da0', '#d7d9da', '#3a3c40'])
        : random.pick(['#c9ccd0', '#c9ccd0', '#8c9095', '#2a2b2e', '#b08d4a']),
      style: works
        ? random.pick(['holes', 'cover'])
        : random.pick(['spokes', 'spokes', 'spokes', 'cover', 'holes'])
    },
    stripe: {
      kind:
        random.next() < (works ? 0.7 : 0.25)
          ? random.pick(['sill', 'belt', 'double', 'sweep'])
          : 'none',
      color: random.pick(signColors)
    },
    ...((works ? random.next() < 0.85 : random.next() < 0.12) && {
      lettering: {
        word: inventWord(random),
        color: sign,
        ...(random.next() < 0.3 && { plate: '#fffbe6' })
      }
    }),
    roofLoad: roofLoadFor(model.body, random),
    numberPlate: `${letter()}${letter()} ${1000 + random.below(9000)}`,
    dirt: random.next() < 0.4 ? random.between(0.3, 1) : 0,
    dirtSeed: random.below(1e6),
    hasBlackTrim: random.next() < 0.4,
    isTinted: random.next() < 0.3
  }
}

const modelCounts: Record<Body, number> = {
  hatch: 3,
  sedan: 3,
  wagon: 2,
  suv: 3,
  pickup: 1,
  van: 3,
  bus: 1,
  truck: 2
}

export function inventVehicles(count: number, random: SeededRandom): Vehicle[] {
  const models = bodies.flatMap((body) =>
    Array.from({ length: modelCounts[body] }, (_, i) =>
      inventModel(body, random.fork(`${body} ${i}`))
    )
  )
  return Array.from({ length: count }, (_, i) => {
    const model = models[i % models.length]!
    return inventVehicle(
      `${model.body}-${String(i + 1).padStart(3, '0')}`,
      model,
      random.fork(`vehicle ${i}`)
    )
  })
}

/** True for the same model and colour: rims, stripes, lettering, load or dirt differ. */
export const looksAlike = (a: Vehicle, b: Vehicle): boolean =>
  a !== b && a.model === b.model && a.color === b.color
