// The logo example: a transparent picture of each brand's mark. The queries show the marks small,
// covered or deformed.
import { chooseBrandMarks, listedMarks } from '../brand-marks.ts'
import { type DrawnPicture, type ExampleSet, type Plan, unknownLabel } from '../example-set.ts'
import { lookOf, looksLikeOneOf } from '../near-duplicates.ts'
import { createRandom, type SeededRandom, shuffled } from '../seeded-random.ts'
import { carriedMark, cutOutMark, markPng, markScene } from './logo-scenes.ts'
import { carriers } from './logo-surfaces.ts'

/** Pixels of a mark's longest side in the scene. */
const sceneSizes = [40, 80, 150, 300] as const
/** Kinds of queries, the last field of their lines. */
export const logoKinds = [
  'size-40',
  'size-80',
  'size-150',
  'size-300',
  'transparent',
  'deformed',
  'occluded',
  'turned',
  'unknown'
] as const
type Kind = (typeof logoKinds)[number]

const knownCount = 200
const unknownCount = 30
const perSize = 14
const transparentCount = 24
const deformedCount = 36
const occludedCount = 28
const turnedCount = 24
/** Degrees, either way. */
const turnedBetween = [20, 45] as const

/** Makes the set. The seed decides everything. */
export const logoSet = (seed = 13): ExampleSet => ({
  version: `logo 3 ${seed}`,
  plan: () => planLogos(seed)
})

async function planLogos(seed: number): Promise<Plan> {
  const random = createRandom(seed)
  const names = await differentMarks(knownCount + unknownCount, random.fork('marks'))
  const [known, strangers] = [names.slice(0, knownCount), names.slice(knownCount)]
  const gallery = known.map(
    (name): DrawnPicture => ({
      path: `images/gallery/${name}.png`,
      label: name,
      draw: () => markPng(name)
    })
  )
  return {
    gallery,
    queries: queriesOf(shuffled(known, random.fork('asked')), strangers, random.fork('queries'))
  }
}

/** Chooses marks that all look different, so that each query has a single right answer. */
async function differentMarks(count: number, random: SeededRandom): Promise<string[]> {
  const names: string[] = []
  const looks: Float32Array[] = []
  for (const name of shuffled(chooseBrandMarks(listedMarks()), random)) {
    if (names.length === count) return names
    const look = await lookOf(await markPng(name, 64))
    if (look === undefined || looksLikeOneOf(look, looks)) continue
    names.push(name)
    looks.push(look)
  }
  throw new Error(`the icon set has only ${names.length} different marks, ${count} are wanted`)
}

type Draw = (name: string, at: number, random: SeededRandom) => Promise<Buffer>

const drawSize =
  (longestSide: number): Draw =>
  (name, at, random) =>
    markScene(name, { kind: at % 2 === 0 ? 'plate' : 'pasted', longestSide, random })
const drawDeformed: Draw = (name, at, random) =>
  carriedMark(name, carriers[at % carriers.length]!, random)
const drawOccluded: Draw = (name, _, random) => markScene(name, { kind: 'covered', random })
const drawTurned: Draw = (name, at, random) =>
  markScene(name, {
    kind: at % 2 === 0 ? 'plate' : 'pasted',
    degrees: (at % 4 < 2 ? 1 : -1) * random.between(...turnedBetween),
    random
  })
/** Draws a stranger. Strangers come in every kind. */
const drawAnyhow: Draw = (name, at, random) =>
  [drawSize(150), drawDeformed, drawOccluded, drawSize(300), drawDeformed][at % 5]!(
    name,
    at,
    random
  )

function queriesOf(
  known: readonly string[],
  strangers: readonly string[],
  random: SeededRandom
): DrawnPicture[] {
  let taken = 0
  const ask = (kind: Kind, names: readonly string[], draw: Draw, ending = 'jpg'): DrawnPicture[] =>
    names.map((name, at) => {
      const path = `images/query/${kind}-${name}.${ending}`
      return {
        path,
        label: kind === 'unknown' ? unknownLabel : name,
        more: [kind],
        draw: () => draw(name, at, random.fork(path))
      }
    })
  const next = (count: number): string[] =>
    Array.from({ length: count }, () => known[taken++ % known.length]!)
  return [
    ...sceneSizes.flatMap((size) => ask(`size-${size}`, next(perSize), drawSize(size))),
    ...ask('transparent', next(transparentCount), (name, _, own) => cutOutMark(name, own), 'png'),
    ...ask('deformed', next(deformedCount), drawDeformed),
    ...ask('occluded', next(occludedCount), drawOccluded),
    ...ask('turned', next(turnedCount), drawTurned),
    ...ask('unknown', strangers, drawAnyhow)
  ]
}
