// The print on goods: brand word, pattern, pictogram, flavour and size in front, small print and a
// bar code at the side.
import { createRandom, hashText } from '../seeded-random.ts'
import { type Area, wordSvg } from '../stroke-letters.ts'
import type { Family, Pictogram, Product } from './product-identity.ts'

const rect = ({ x, y, width, height }: Area, fill: string, rounding = 0): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${rounding}" fill="${fill}"/>`
const repeat = (count: number, draw: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => draw(i)).join('')

function patternSvg({ pattern, second }: Family, width: number, height: number): string {
  const step = width / 8
  switch (pattern) {
    case 'plain':
      return ''
    case 'stripes':
      return repeat(8, (i) => rect({ x: i * step, y: 0, width: step / 2, height }, second))
    case 'dots':
      return repeat(
        80,
        (i) =>
          `<circle cx="${((i % 8) + (Math.floor(i / 8) % 2) / 2) * step}" cy="${Math.floor(i / 8) * step}" r="${step * 0.22}" fill="${second}"/>`
      )
    case 'waves':
      return repeat(
        7,
        (i) =>
          `<path d="M0 ${(height * (i + 0.5)) / 7}q${step} ${-step} ${2 * step} 0t${2 * step} 0t${2 * step} 0t${2 * step} 0" fill="none" stroke="${second}" stroke-width="${step / 4}"/>`
      )
    case 'rays':
      return repeat(
        12,
        (i) =>
          `<path d="M${width / 2} ${height / 2}L${width / 2 + 2 * height * Math.cos((i * Math.PI) / 6)} ${height / 2 + 2 * height * Math.sin((i * Math.PI) / 6)}L${width / 2 + 2 * height * Math.cos(((i + 0.5) * Math.PI) / 6)} ${height / 2 + 2 * height * Math.sin(((i + 0.5) * Math.PI) / 6)}Z" fill="${second}"/>`
      )
    case 'checks':
      return repeat(96, (i) =>
        (i + Math.floor(i / 8)) % 2 === 0
          ? ''
          : rect(
              { x: (i % 8) * step, y: Math.floor(i / 8) * step, width: step, height: step },
              second
            )
      )
    case 'band':
      return rect({ x: 0, y: height * 0.62, width, height: height * 0.38 }, second)
    case 'slant':
      return `<path d="M0 ${height * 0.7}L${width} ${height * 0.35}V${height}H0Z" fill="${second}"/>`
  }
}

/** Drawings in a square of 100 around the middle. */
const drawings: Record<Pictogram, (color: string) => string> = {
  apple: (color) =>
    `<path d="M0 -20C-18 -34 -42 -22 -40 6C-38 30 -20 44 0 36C20 44 38 30 40 6C42 -22 18 -34 0 -20Z" fill="${color}"/><path d="M0 -20Q2 -38 14 -46" fill="none" stroke="#5a3a1c" stroke-width="6"/>`,
  leaf: (color) =>
    `<path d="M-38 36C-44 -20 0 -44 42 -40C44 4 20 44 -38 36Z" fill="${color}"/><path d="M-38 36L28 -26" stroke="#fff" stroke-width="4"/>`,
  drop: (color) =>
    `<path d="M0 -46C14 -22 32 -2 32 18A32 32 0 0 1 -32 18C-32 -2 -14 -22 0 -46Z" fill="${color}"/>`,
  star: (color) =>
    `<path d="M0 -46L13 -14L46 -14L20 7L30 42L0 21L-30 42L-20 7L-46 -14L-13 -14Z" fill="${color}"/>`,
  sun: (color) =>
    `<circle r="24" fill="${color}"/>${repeat(8, (i) => `<path transform="rotate(${i * 45})" d="M-5 -30L0 -47L5 -30Z" fill="${color}"/>`)}`,
  fish: (color) =>
    `<path d="M-46 -22L-26 0L-46 22C-34 20 -26 14 -20 10C0 32 34 24 46 0C34 -24 0 -32 -20 -10C-26 -14 -34 -20 -46 -22Z" fill="${color}"/><circle cx="28" cy="-6" r="4" fill="#fff"/>`,
  bean: (color) =>
    `<g transform="rotate(35)"><ellipse rx="28" ry="42" fill="${color}"/><path d="M0 -42C-14 -14 14 14 0 42" fill="none" stroke="#fff" stroke-width="5"/></g>`,
  wheat: (color) =>
    `<path d="M0 46V-30" stroke="${color}" stroke-width="5"/>${repeat(5, (i) => `<ellipse transform="translate(-12 ${i * 14 - 28}) rotate(-35)" rx="7" ry="14" fill="${color}"/><ellipse transform="translate(12 ${i * 14 - 28}) rotate(35)" rx="7" ry="14" fill="${color}"/>`)}`,
  snow: (color) =>
    repeat(
      3,
      (i) =>
        `<path transform="rotate(${i * 60})" d="M0 -44V44M-12 -36L0 -24L12 -36M-12 36L0 24L12 36" fill="none" stroke="${color}" stroke-width="7"/>`
    ),
  heart: (color) =>
    `<path d="M0 42C-60 0 -42 -46 -14 -38Q-4 -35 0 -22Q4 -35 14 -38C42 -46 60 0 0 42Z" fill="${color}"/>`,
  flame: (color) =>
    `<path d="M0 46C-36 40 -38 6 -16 -14C-14 0 -6 -2 -6 -10C-8 -26 2 -38 12 -46C8 -24 36 -12 32 18C30 36 16 46 0 46Z" fill="${color}"/>`,
  berry: (color) =>
    `<circle cx="-18" cy="18" r="22" fill="${color}"/><circle cx="20" cy="22" r="20" fill="${color}"/><path d="M-16 -4Q-6 -30 22 -42Q10 -20 20 2" fill="none" stroke="#3c7a34" stroke-width="5"/>`,
  hill: (color) =>
    `<path d="M-48 36L-14 -36L6 4L20 -14L48 36Z" fill="${color}"/><path d="M-14 -36L-24 -14L-14 -20L-5 -14Z" fill="#fff"/>`,
  cup: (color) =>
    `<path d="M-36 -14H26V16C26 34 14 42 -5 42S-36 34 -36 16Z" fill="${color}"/><path d="M26 -4C46 -6 46 24 24 22" fill="none" stroke="${color}" stroke-width="7"/><path d="M-18 -20Q-26 -32 -16 -44M2 -20Q-6 -32 4 -44" fill="none" stroke="${color}" stroke-width="5"/>`
}

const pictogramSvg = (product: Product, { x, y, width, height }: Area): string => {
  const scale = Math.min(width, height) / 100
  return `<g transform="translate(${x + width / 2} ${y + height / 2}) scale(${scale})"><circle r="56" fill="#fffdf4" stroke="${product.accent}" stroke-width="5"/><g transform="scale(.85)">${drawings[product.pictogram](product.accent)}</g></g>`
}

/** Fractions of the height: brand word, pictogram, flavour. */
const layouts = [
  { brand: [0.06, 0.2], picture: [0.32, 0.36], flavour: [0.74, 0.11] },
  { brand: [0.4, 0.2], picture: [0.05, 0.32], flavour: [0.68, 0.12] },
  { brand: [0.7, 0.18], picture: [0.2, 0.42], flavour: [0.06, 0.1] },
  { brand: [0.16, 0.24], picture: [0.54, 0.38], flavour: [0.43, 0.09] }
] as const

/** Returns the printed front as the body of an SVG of this size. */
export function frontArt(product: Product, width: number, height: number): string {
  const { base, ink, letters, accent, layout } = product
  const { brand, picture, flavour } = layouts[layout]
  const band = (part: readonly [number, number], inset: number): Area => ({
    x: width * inset,
    y: height * part[0],
    width: width * (1 - 2 * inset),
    height: height * part[1]
  })
  const word = wordSvg(product.brand, band(brand, 0.08), {
    color: ink,
    weight: letters.weight,
    slant: letters.slant,
    isRound: letters.isRound,
    ...(letters.hasOutline && { outline: accent })
  })
  const flavourArea = band(flavour, 0.1)
  const plate =
    layout % 2 === 0
      ? rect(flavourArea, accent, flavourArea.height / 2)
      : rect({ x: 0, y: flavourArea.y, width, height: flavourArea.height }, accent)
  const inner: Area = {
    x: flavourArea.x,
    y: flavourArea.y + flavourArea.height * 0.2,
    width: flavourArea.width,
    height: flavourArea.height * 0.6
  }
  const size = wordSvg(
    product.size,
    { x: width * 0.64, y: height * 0.91, width: width * 0.3, height: height * 0.055 },
    { color: ink, weight: 1 }
  )
  return `${rect({ x: 0, y: 0, width, height }, base)}${patternSvg(product, width, height)}${word}${pictogramSvg(product, band(picture, 0.18))}${plate}${wordSvg(product.flavour, inner, { color: '#fff', weight: 1 })}${size}`
}

/** Draws small print, a table and a bar code, the same for the same product. */
export function sideArt(product: Product, width: number, height: number): string {
  const random = createRandom(hashText(product.label))
  const lines = repeat(14, (i) =>
    rect(
      {
        x: width * 0.12,
        y: height * (0.3 + 0.022 * i),
        width: width * random.between(0.45, 0.76),
        height: height * 0.008
      },
      product.ink
    )
  )
  let x = width * 0.2
  const bars = repeat(24, () => {
    const bar = rect(
      { x, y: height * 0.8, width: width * random.between(0.008, 0.02), height: height * 0.1 },
      '#111'
    )
    x += width * 0.025
    return bar
  })
  const word = wordSvg(
    product.brand,
    { x: width * 0.1, y: height * 0.08, width: width * 0.8, height: height * 0.12 },
    { color: product.ink, weight: product.letters.weight }
  )
  return `${rect({ x: 0, y: 0, width, height }, product.base)}${word}${lines}${rect({ x: width * 0.15, y: height * 0.78, width: width * 0.7, height: height * 0.14 }, '#fff')}${bars}`
}
