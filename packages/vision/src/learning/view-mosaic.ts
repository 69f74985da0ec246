// Draws pictures of references like real views, several on a canvas: turned, sheared, recoloured,
// partly covered.
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box, Size } from '../picture/letterbox.ts'

/** Seeded numbers, so that the same references give the same views. */
export interface ViewRandom {
  /** [0, 1) */
  next(): number
  between(low: number, high: number): number
  /** Integer in [0, count). */
  below(count: number): number
}

export interface Mosaic {
  canvas: DecodedImage
  /** Boxes around the pictures, canvas pixels, as loose as a detector's boxes. */
  boxes: Box[]
}

const maxTurn = (15 * Math.PI) / 180
const coveredShare = 0.25

interface MosaicOptions {
  size: Size
  /** Picture behind the pictures; plain grey when absent. */
  ground: DecodedImage | undefined
  /** Without random numbers the pictures are unchanged, only smaller. */
  random: ViewRandom | undefined
}

/** Draws `pictures` in a square raster of cells. */
export function drawMosaic(
  pictures: readonly DecodedImage[],
  { size, ground, random }: MosaicOptions
): Mosaic {
  const canvas: DecodedImage = {
    rgb: new Uint8Array(size.width * size.height * 3).fill(114),
    ...size
  }
  if (ground !== undefined) stretchOver(canvas, ground)
  const perSide = Math.ceil(Math.sqrt(pictures.length))
  const cell = { width: size.width / perSide, height: size.height / perSide }
  const boxes = pictures.map((picture, i) => {
    const place = {
      left: (i % perSide) * cell.width,
      top: Math.floor(i / perSide) * cell.height,
      ...cell
    }
    return random === undefined
      ? drawAsIs(canvas, picture, place)
      : drawView(canvas, picture, place, random)
  })
  return { canvas, boxes }
}

const unchanged = Uint8Array.from({ length: 256 }, (_, value) => value)

function drawAsIs(canvas: DecodedImage, picture: DecodedImage, cell: Cell): Box {
  const scale = Math.min(cell.width / picture.width, cell.height / picture.height)
  const [width, height] = [picture.width * scale, picture.height * scale]
  const [left, top] = [cell.left + (cell.width - width) / 2, cell.top + (cell.height - height) / 2]
  paste(
    canvas,
    picture,
    { left, top, width, height, inverse: invert([scale, 0, 0, scale]), scale },
    [unchanged, unchanged, unchanged]
  )
  return [left, top, left + width, top + height]
}

function stretchOver(canvas: DecodedImage, ground: DecodedImage): void {
  for (let y = 0; y < canvas.height; y++) {
    const row = Math.floor((y * ground.height) / canvas.height) * ground.width
    for (let x = 0; x < canvas.width; x++) {
      const from = 3 * (row + Math.floor((x * ground.width) / canvas.width))
      const to = 3 * (y * canvas.width + x)
      for (let c = 0; c < 3; c++) canvas.rgb[to + c] = ground.rgb[from + c]!
    }
  }
}

interface Cell extends Size {
  left: number
  top: number
}

function drawView(
  canvas: DecodedImage,
  picture: DecodedImage,
  cell: Cell,
  random: ViewRandom
): Box {
  const turn = random.between(-maxTurn, maxTurn)
  const shear = random.between(-0.12, 0.12)
  const stretch = random.between(0.9, 1.1)
  // Picture to canvas, before scaling; the scale then fits the result into the cell.
  const [a, b, c, d] = [
    Math.cos(turn) * stretch,
    -Math.sin(turn) + shear,
    Math.sin(turn) * stretch,
    Math.cos(turn)
  ]
  const spread = {
    width: Math.abs(a) * picture.width + Math.abs(b) * picture.height,
    height: Math.abs(c) * picture.width + Math.abs(d) * picture.height
  }
  const scale =
    Math.min(cell.width / spread.width, cell.height / spread.height) * random.between(0.55, 0.98)
  const [width, height] = [spread.width * scale, spread.height * scale]
  const [left, top] = [
    cell.left + random.next() * (cell.width - width),
    cell.top + random.next() * (cell.height - height)
  ]
  paste(
    canvas,
    picture,
    {
      left,
      top,
      width,
      height,
      inverse: invert([a * scale, b * scale, c * scale, d * scale]),
      scale
    },
    recolour(random)
  )
  if (random.next() < coveredShare) cover(canvas, { left, top, width, height }, random)
  const loosen = (side: number): number => side * random.between(-0.06, 0.06)
  return [
    Math.max(0, left + loosen(width)),
    Math.max(0, top + loosen(height)),
    Math.min(canvas.width, left + width + loosen(width)),
    Math.min(canvas.height, top + height + loosen(height))
  ]
}

type Matrix = readonly [number, number, number, number]
function invert([a, b, c, d]: Matrix): Matrix {
  const det = a * d - b * c
  return [d / det, -b / det, -c / det, a / det]
}

interface Target extends Cell {
  /** Canvas to picture, around both centres. */
  inverse: Matrix
  scale: number
}

function paste(
  canvas: DecodedImage,
  picture: DecodedImage,
  { left, top, width, height, inverse: [a, b, c, d], scale }: Target,
  tables: readonly Uint8Array[]
): void {
  // Shrunk pictures are sampled more than once a pixel, or they alias.
  const steps = Math.min(3, Math.ceil(1 / scale))
  const [midX, midY] = [left + width / 2, top + height / 2]
  const { rgb } = picture
  for (let y = Math.floor(top); y < Math.min(canvas.height, top + height); y++) {
    for (let x = Math.floor(left); x < Math.min(canvas.width, left + width); x++) {
      let [red, green, blue, hits] = [0, 0, 0, 0]
      for (let s = 0; s < steps * steps; s++) {
        const dx = x + ((s % steps) + 0.5) / steps - midX
        const dy = y + (Math.floor(s / steps) + 0.5) / steps - midY
        const u = Math.floor(a * dx + b * dy + picture.width / 2)
        const v = Math.floor(c * dx + d * dy + picture.height / 2)
        if (u < 0 || v < 0 || u >= picture.width || v >= picture.height) continue
        const from = 3 * (v * picture.width + u)
        red += rgb[from]!
        green += rgb[from + 1]!
        blue += rgb[from + 2]!
        hits++
      }
      if (hits * 2 < steps * steps) continue
      const to = 3 * (y * canvas.width + x)
      canvas.rgb[to] = tables[0]![Math.round(red / hits)]!
      canvas.rgb[to + 1] = tables[1]![Math.round(green / hits)]!
      canvas.rgb[to + 2] = tables[2]![Math.round(blue / hits)]!
    }
  }
}

/** Light of another colour and strength: a table for each channel. */
function recolour(random: ViewRandom): Uint8Array[] {
  const gain = random.between(0.75, 1.25)
  const bias = random.between(-12, 12)
  return [0, 1, 2].map(() => {
    const own = gain * random.between(0.93, 1.07)
    return Uint8Array.from({ length: 256 }, (_, value) =>
      Math.max(0, Math.min(255, value * own + bias))
    )
  })
}

/** Covers up to a quarter with a plain patch. */
function cover(canvas: DecodedImage, { left, top, width, height }: Cell, random: ViewRandom): void {
  const [w, h] = [width * random.between(0.25, 0.5), height * random.between(0.25, 0.5)]
  const [x0, y0] = [left + random.next() * (width - w), top + random.next() * (height - h)]
  const color = [random.below(256), random.below(256), random.below(256)]
  for (let y = Math.floor(y0); y < Math.min(canvas.height, y0 + h); y++) {
    for (let x = Math.floor(x0); x < Math.min(canvas.width, x0 + w); x++)
      for (let c = 0; c < 3; c++) canvas.rgb[3 * (y * canvas.width + x) + c] = color[c]!
  }
}
