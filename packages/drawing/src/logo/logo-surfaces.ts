// Things that carry a mark and deform it: a cup, a shirt, a sign seen from the side.
import { markSvg } from '../brand-marks.ts'
import { contactShadow } from '../contact-shadow.ts'
import { drawSvg, svgDocument } from '../draw-svg.ts'
import { box, disc, revolve, sheet, type Surface } from '../mesh.ts'
import type { Rgb, Sprite } from '../pixels.ts'
import type { SeededRandom } from '../seeded-random.ts'
import type { Area } from '../stroke-letters.ts'

export const carriers = ['cup', 'shirt', 'sign'] as const
export type Carrier = (typeof carriers)[number]

interface Printed {
  name: string
  color: Rgb
  random: SeededRandom
}

const cssOf = (color: Rgb): string => `rgb(${color.map(Math.round).join()})`

/** Places the mark in the middle of the area, as large as possible. */
function placeMark(name: string, { x, y, width, height }: Area): string {
  const svg = markSvg(name, 1000)
  const [w, h] = ['width', 'height'].map((side) =>
    Number(new RegExp(` ${side}="([\\d.]+)"`).exec(svg)![1])
  ) as [number, number]
  const scale = Math.min(width / w, height / h)
  const [shownWidth, shownHeight] = [w * scale, h * scale]
  return svg.replace(
    /^<svg ([^>]*?) width="[^"]*" height="[^"]*"/,
    `<svg $1 x="${x + (width - shownWidth) / 2}" y="${y + (height - shownHeight) / 2}" width="${shownWidth}" height="${shownHeight}"`
  )
}

async function cup({ name, color, random }: Printed): Promise<Surface[]> {
  const radius = random.between(0.4, 0.5)
  const [width, height] = [Math.round(360 * 2 * Math.PI * radius), 360]
  const side = width * random.between(0.26, 0.34)
  const wrap = await drawSvg(
    svgDocument(
      width,
      height,
      `<rect width="${width}" height="${height}" fill="${cssOf(color)}"/>${placeMark(name, { x: (width - side) / 2, y: height * 0.2, width: side, height: height * 0.6 })}`
    )
  )
  const handle = sheet(
    (u, v) => {
      const [around, along] = [2 * Math.PI * u, Math.PI * (v - 0.5)]
      const reach = 0.24 + 0.045 * Math.cos(around)
      return [
        radius * 0.96 + reach * Math.cos(along),
        0.52 - 0.32 * Math.sin(along) * (1 + 0.13 * Math.cos(around)),
        0.06 * Math.sin(around)
      ]
    },
    { columns: 10, rows: 16, paint: color, gloss: 0.5 }
  )
  return [
    contactShadow({ halfWidth: radius * 1.5, halfDepth: radius * 1.4, strength: 0.6 }),
    revolve(
      [
        [1, radius],
        [0.12, radius],
        [0.03, radius * 0.93],
        [0, radius * 0.8]
      ],
      { paint: wrap, gloss: 0.5 }
    ),
    revolve(
      [
        [0.6, radius * 0.9],
        [1, radius * 0.95]
      ],
      { paint: color.map((value) => value * 0.75) as unknown as Rgb }
    ),
    disc({ y: 0.72, radius: radius * 0.92, paint: [58, 36, 22], gloss: 0.3 }),
    handle
  ]
}

const shirtPath =
  'M150 20Q200 60 250 20L310 40L392 130L330 182L300 150V400H100V150L70 182L8 130L90 40Z'

async function shirt({ name, color, random }: Printed): Promise<Surface[]> {
  const side = random.between(90, 150)
  const body = `<path d="${shirtPath}" fill="${cssOf(color)}"/><path d="M150 20Q200 74 250 20" fill="none" stroke="rgba(0,0,0,.3)" stroke-width="7"/><path d="M100 150V398M300 150V398" stroke="rgba(0,0,0,.12)" stroke-width="3"/>${placeMark(name, { x: 200 - side / 2, y: 110 + random.between(0, 40), width: side, height: side })}`
  const cloth = await drawSvg(svgDocument(400, 410, body))
  const [a, b, c] = [random.between(0, 6), random.between(0, 6), random.between(0, 6)]
  const fold = random.between(0.018, 0.034)
  const depth = (u: number, v: number): number =>
    0.22 * Math.cos((u - 0.5) * 2.6) +
    fold *
      (Math.sin(11 * u + 3 * v + a) +
        Math.sin(5 * u - 9 * v + b) +
        0.6 * Math.sin(17 * u + 6 * v * v + c))
  return [
    sheet((u, v) => [u - 0.5 + 0.6 * fold * Math.sin(8 * v + b), 1 - v, depth(u, v)], {
      columns: 40,
      rows: 40,
      paint: cloth
    })
  ]
}

async function sign({ name, color, random }: Printed): Promise<Surface[]> {
  const [width, height] = [random.between(260, 420), 260]
  const inset = 34
  const board: Sprite = await drawSvg(
    svgDocument(
      Math.round(width),
      height,
      `<rect width="100%" height="100%" fill="${cssOf(color)}"/><rect x="5" y="5" width="${Math.round(width) - 10}" height="${height - 10}" fill="none" stroke="rgba(90,90,90,.7)" stroke-width="6"/>${placeMark(name, { x: inset, y: inset, width: width - 2 * inset, height: height - 2 * inset })}`
    )
  )
  const half = width / height / 2
  const edge: Rgb = [70, 72, 76]
  return box(
    [-half, 0, -0.06],
    [half, 1, 0],
    { front: board, back: edge, left: edge, right: edge, top: edge },
    0.25
  )
}

const makers = { cup, shirt, sign }

export const makeCarrier = (carrier: Carrier, printed: Printed): Promise<Surface[]> =>
  makers[carrier](printed)
