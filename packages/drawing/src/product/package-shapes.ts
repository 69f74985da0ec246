// Goods as solid things: boxes, bottles, cans, pouches and jars with their print. The unit is the
// height.
import { drawSvg, svgDocument } from '../draw-svg.ts'
import { box, disc, type Profile, revolve, sheet, type Surface } from '../mesh.ts'
import type { Rgb, Sprite } from '../pixels.ts'
import { createRandom, hashText } from '../seeded-random.ts'
import { frontArt, sideArt } from './label-art.ts'
import type { Product } from './product-identity.ts'

/** Pixels of a print's height. */
const printHeight = 420

const hexColor = (hex: string): Rgb =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb

/** `width` over height. */
function drawFront(product: Product, width: number): Promise<Sprite> {
  const pixels = Math.round(printHeight * width)
  return drawSvg(svgDocument(pixels, printHeight, frontArt(product, pixels, printHeight)))
}

function drawSide(product: Product, width: number): Promise<Sprite> {
  const pixels = Math.max(24, Math.round(printHeight * width))
  return drawSvg(svgDocument(pixels, printHeight, sideArt(product, pixels, printHeight)))
}

/**
 * Draws the print around a round thing: the front in the middle third, the small print at both
 * sides.
 */
function drawWrap(product: Product, circumference: number): Promise<Sprite> {
  const width = Math.round(printHeight * circumference)
  const [front, side] = [width * 0.34, width * 0.33]
  const at = (x: number, body: string): string =>
    `<svg x="${x}" width="${x === side ? front : side}" height="${printHeight}" overflow="hidden">${body}</svg>`
  return drawSvg(
    svgDocument(
      width,
      printHeight,
      at(0, sideArt(product, side, printHeight)) +
        at(side, frontArt(product, front, printHeight)) +
        at(side + front, sideArt(product, side, printHeight))
    )
  )
}

/** Returns the pixel value of an SVG colour. */
async function colorOf(color: string): Promise<Rgb> {
  const { rgba } = await drawSvg(svgDocument(2, 2, `<rect width="2" height="2" fill="${color}"/>`))
  return [rgba[0]!, rgba[1]!, rgba[2]!]
}

async function carton(product: Product): Promise<Surface[]> {
  const { width, depth } = product.proportions
  const [front, side, top] = await Promise.all([
    drawFront(product, width),
    drawSide(product, depth),
    colorOf(product.base)
  ])
  return box(
    [-width / 2, 0, -depth / 2],
    [width / 2, 1, depth / 2],
    { front, left: side, right: side, top },
    0.12
  )
}

async function can(product: Product): Promise<Surface[]> {
  const radius = product.proportions.width / 2
  const metal: Rgb = [190, 192, 196]
  const wrap = await drawWrap(product, (2 * Math.PI * radius) / 0.88)
  return [
    revolve(
      [
        [0.94, radius],
        [0.06, radius]
      ],
      { paint: wrap, gloss: 0.45 }
    ),
    revolve(
      [
        [1, radius * 0.86],
        [0.985, radius * 0.9],
        [0.94, radius]
      ],
      { paint: metal, gloss: 0.8 }
    ),
    revolve(
      [
        [0.06, radius],
        [0.02, radius * 0.92],
        [0, radius * 0.88]
      ],
      { paint: metal, gloss: 0.8 }
    ),
    disc({ y: 0.985, radius: radius * 0.87, paint: [170, 172, 178], gloss: 0.3 })
  ]
}

async function bottle(product: Product): Promise<Surface[]> {
  const radius = product.proportions.width / 2
  const random = createRandom(hashText(product.brand))
  const shoulder = random.between(0.6, 0.7)
  const neck = radius * random.between(0.3, 0.42)
  const [wrap, body] = await Promise.all([
    drawWrap(product, (2 * Math.PI * radius) / (shoulder - 0.14)),
    colorOf(random.next() < 0.5 ? product.accent : product.second)
  ])
  const dark = body.map((value) => value * 0.55) as unknown as Rgb
  const curve: Profile = Array.from({ length: 9 }, (_, i) => {
    const t = i / 8
    return [
      0.88 - (0.88 - shoulder) * t,
      neck + (radius - neck) * (0.5 - Math.cos(Math.PI * t) / 2)
    ] as const
  })
  return [
    revolve(
      [
        [1, neck * 1.12],
        [0.9, neck * 1.12]
      ],
      { paint: hexColor(product.lid), gloss: 0.3 }
    ),
    disc({ y: 1, radius: neck * 1.12, paint: hexColor(product.lid), gloss: 0.2 }),
    revolve([[0.9, neck], ...curve, [shoulder - 0.03, radius], [0.04, radius], [0, radius * 0.9]], {
      paint: dark,
      gloss: 0.9
    }),
    revolve(
      [
        [shoulder - 0.04, radius * 1.012],
        [0.1, radius * 1.012]
      ],
      { paint: wrap, gloss: 0.15 }
    )
  ]
}

async function jar(product: Product): Promise<Surface[]> {
  const radius = product.proportions.width / 2
  const [wrap, content] = await Promise.all([
    drawWrap(product, (2 * Math.PI * radius) / 0.56),
    colorOf(product.accent)
  ])
  const lid = hexColor(product.lid)
  return [
    revolve(
      [
        [1, radius * 0.86],
        [0.985, radius * 0.9],
        [0.87, radius * 0.9]
      ],
      { paint: lid, gloss: 0.5 }
    ),
    disc({ y: 1, radius: radius * 0.86, paint: lid, gloss: 0.3 }),
    revolve(
      [
        [0.87, radius * 0.84],
        [0.83, radius * 0.9],
        [0.77, radius],
        [0.06, radius],
        [0, radius * 0.86]
      ],
      { paint: content.map((value) => value * 0.7) as unknown as Rgb, gloss: 0.9 }
    ),
    revolve(
      [
        [0.7, radius * 1.01],
        [0.14, radius * 1.01]
      ],
      { paint: wrap, gloss: 0.1 }
    )
  ]
}

/** Makes a pillow with flat seams above and below. `crease` shifts the folds. */
async function pouch(product: Product, crease: number): Promise<Surface[]> {
  const { width, depth } = product.proportions
  const front = await drawFront(product, width)
  const bulge = (u: number, v: number): number => {
    const body = Math.max(0, Math.min(1, (v - 0.06) / 0.88))
    const full = (Math.sin(Math.PI * u) * Math.sin(Math.PI * body)) ** 0.55
    return depth * full * (1 + 0.06 * Math.sin(9 * u + crease) * Math.sin(7 * v + 2 * crease))
  }
  const pinch = (v: number): number => 1 - 0.05 * Math.sin(Math.PI * v)
  return [
    sheet((u, v) => [(u - 0.5) * width * pinch(v), 1 - v, bulge(u, v)], {
      columns: 28,
      rows: 28,
      paint: front,
      gloss: 0.5
    }),
    sheet((u, v) => [(0.5 - u) * width * pinch(v), 1 - v, -0.4 * bulge(u, v)], {
      columns: 12,
      rows: 12,
      paint: front,
      gloss: 0.3
    })
  ]
}

const makers = { box: carton, can, bottle, jar, pouch }

export const makePackage = (product: Product, crease: number): Promise<Surface[]> =>
  makers[product.shape](product, crease)
