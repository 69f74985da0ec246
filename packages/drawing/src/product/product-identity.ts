// Invents goods: families of the same brand and shape, with variants that differ in flavour or size
// only.
import type { SeededRandom } from '../seeded-random.ts'

export const shapes = ['box', 'bottle', 'can', 'pouch', 'jar'] as const
export type Shape = (typeof shapes)[number]
export const patterns = [
  'plain',
  'stripes',
  'dots',
  'waves',
  'rays',
  'checks',
  'band',
  'slant'
] as const
export const pictograms = [
  'apple',
  'leaf',
  'drop',
  'star',
  'sun',
  'fish',
  'bean',
  'wheat',
  'snow',
  'heart',
  'flame',
  'berry',
  'hill',
  'cup'
] as const
export type Pictogram = (typeof pictograms)[number]

export interface Family {
  brand: string
  shape: Shape
  /** Width and depth of the thing as fractions of the height. */
  proportions: { width: number; depth: number }
  /** SVG colours. */
  base: string
  second: string
  ink: string
  pattern: (typeof patterns)[number]
  /** Layout of the label. */
  layout: 0 | 1 | 2 | 3
  letters: { weight: number; slant: number; isRound: boolean; hasOutline: boolean }
  lid: string
}
export interface Product extends Family {
  /** `brand-flavour-size`: the label for searches. */
  label: string
  flavour: string
  size: string
  /** Colour of the flavour. */
  accent: string
  pictogram: Pictogram
}

const onsets = [
  'B',
  'BR',
  'D',
  'F',
  'FL',
  'G',
  'K',
  'L',
  'M',
  'N',
  'P',
  'R',
  'S',
  'ST',
  'T',
  'TR',
  'V',
  'Z'
]
const middles = ['A', 'E', 'I', 'O', 'U', 'OO', 'IA']
const endings = ['', 'N', 'R', 'L', 'X', 'S', 'M']

export function inventWord(random: SeededRandom): string {
  const syllable = (): string => random.pick(onsets) + random.pick(middles)
  return `${syllable()}${syllable()}${random.next() < 0.25 ? syllable() : ''}${random.pick(endings)}`.slice(
    0,
    8
  )
}

const flavours: readonly { word: string; hue: number; pictogram: Pictogram }[] = [
  { word: 'APPLE', hue: 90, pictogram: 'apple' },
  { word: 'MINT', hue: 155, pictogram: 'leaf' },
  { word: 'CHERRY', hue: 345, pictogram: 'berry' },
  { word: 'LEMON', hue: 52, pictogram: 'sun' },
  { word: 'CLASSIC', hue: 215, pictogram: 'star' },
  { word: 'WHOLE GRAIN', hue: 34, pictogram: 'wheat' },
  { word: 'SALTED', hue: 195, pictogram: 'drop' },
  { word: 'CHILI', hue: 8, pictogram: 'flame' },
  { word: 'TUNA', hue: 222, pictogram: 'fish' },
  { word: 'COCOA', hue: 22, pictogram: 'bean' },
  { word: 'COOL', hue: 188, pictogram: 'snow' },
  { word: 'SWEET', hue: 325, pictogram: 'heart' },
  { word: 'ALPINE', hue: 205, pictogram: 'hill' },
  { word: 'MOCHA', hue: 28, pictogram: 'cup' }
]
const sizes: Record<Shape, readonly string[]> = {
  box: ['250 G', '500 G', '750 G'],
  bottle: ['500 ML', '750 ML', '1 L'],
  can: ['330 ML', '400 ML', '500 ML'],
  pouch: ['150 G', '300 G', '450 G'],
  jar: ['210 G', '350 G', '580 G']
}
const proportions: Record<Shape, readonly [number, number, number, number]> = {
  box: [0.55, 1, 0.2, 0.45],
  bottle: [0.3, 0.42, 0.3, 0.42],
  can: [0.46, 0.62, 0.46, 0.62],
  pouch: [0.62, 0.85, 0.12, 0.22],
  jar: [0.6, 0.85, 0.6, 0.85]
}

export const hsl = (hue: number, saturation: number, lightness: number): string =>
  `hsl(${Math.round(((hue % 360) + 360) % 360)},${Math.round(saturation)}%,${Math.round(lightness)}%)`

function inventFamily(shape: Shape, brand: string, random: SeededRandom): Family {
  const hue = random.between(0, 360)
  const isPale = random.next() < 0.35
  const [w0, w1, d0, d1] = proportions[shape]
  const width = random.between(w0, w1)
  const isRound = shape === 'bottle' || shape === 'can' || shape === 'jar'
  return {
    brand,
    shape,
    proportions: { width, depth: isRound ? width : random.between(d0, d1) },
    base: isPale
      ? hsl(hue, random.between(10, 40), random.between(84, 96))
      : hsl(hue, random.between(45, 85), random.between(25, 52)),
    second: hsl(
      hue + random.pick([30, 150, 180, 210]),
      random.between(40, 80),
      isPale ? random.between(45, 65) : random.between(60, 80)
    ),
    ink: isPale
      ? hsl(hue, 60, random.between(12, 30))
      : random.pick(['#ffffff', '#fff6d8', '#ffe14a', '#f4f4f4']),
    pattern: random.pick(patterns),
    layout: random.below(4) as Family['layout'],
    letters: {
      weight: random.between(0.7, 1.7),
      slant: random.pick([0, 0, 8, 14]),
      isRound: random.next() < 0.5,
      hasOutline: random.next() < 0.35
    },
    lid: random.pick(['#d8d8da', '#22252a', '#b8322c', '#2b6a3c', '#d9b24a', '#2c4f9e'])
  }
}

function makeVariants(family: Family, count: number, random: SeededRandom): Product[] {
  const first = random.below(flavours.length)
  // Every third family has a single flavour in several sizes: only a number tells them apart.
  const bySize = random.next() < 0.3
  return Array.from({ length: count }, (_, i) => {
    const flavour = flavours[(first + (bySize ? 0 : i * 3)) % flavours.length]!
    const size = sizes[family.shape][bySize ? i % 3 : 1]!
    return {
      ...family,
      label: `${family.brand}-${flavour.word}-${size}`.toLowerCase().replaceAll(' ', '-'),
      flavour: flavour.word,
      size,
      accent: hsl(flavour.hue, 70, 45),
      pictogram: flavour.pictogram
    }
  })
}

/** Returns a list for each family, of 1 to 3 variants; families take turns with the shapes. */
export function inventFamilies(count: number, random: SeededRandom): Product[][] {
  const brands = new Set<string>()
  while (brands.size < count) brands.add(inventWord(random))
  return [...brands].map((brand, i) => {
    const own = random.fork(brand)
    return makeVariants(
      inventFamily(shapes[i % shapes.length]!, brand, own),
      [3, 2, 3, 1][i % 4]!,
      own
    )
  })
}
