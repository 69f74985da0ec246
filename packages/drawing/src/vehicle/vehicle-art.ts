// The paint of a vehicle: the side with windows, doors, stripes and lettering, front and rear,
// wheels.
import { createRandom } from '../seeded-random.ts'
import { wordSvg } from '../stroke-letters.ts'
import type { Model, Vehicle } from './vehicle-identity.ts'

/** Pixels of a metre. */
export const scale = 90

const repeat = (count: number, draw: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => draw(i)).join('')
const glassOf = ({ isTinted }: Vehicle): string => (isTinted ? '#0c0f13' : '#2c3a46')

/** Converts metres to the picture of the side, whose left is the front. */
function sidePlaces({ length, roof }: Model) {
  return {
    x: (metres: number): number => (metres + length / 2) * scale,
    y: (metres: number): number => (roof - metres) * scale
  }
}

/**
 * Draws the whole side from front to rear, from the ground to the roof: length x roof in pixels.
 */
export function sideArt(vehicle: Vehicle): { body: string; width: number; height: number } {
  const { model, color } = vehicle
  const [width, height] = [model.length * scale, model.roof * scale]
  const { x, y } = sidePlaces(model)
  const arches = model.axles
    .map(
      (at) =>
        `<circle cx="${x(at)}" cy="${y(model.wheel)}" r="${model.wheel * 1.2 * scale}" fill="#0b0b0c"/>`
    )
    .join('')
  const sill = `<rect x="0" y="${y(model.floor + 0.14)}" width="${width}" height="${0.3 * scale}" fill="${vehicle.hasBlackTrim ? '#1d1e20' : 'rgba(0,0,0,.28)'}"/>`
  const body = [
    `<rect width="${width}" height="${height}" fill="${color}"/>`,
    `<rect y="${y(model.belt - 0.02)}" width="${width}" height="${0.05 * scale}" fill="rgba(255,255,255,.25)"/>`,
    stripeSvg(vehicle, width, y),
    sill,
    doorsSvg(vehicle, x, y),
    windowsSvg(vehicle, x, y),
    letteringSvg(vehicle, x, y),
    lampEnds(model, width, y),
    arches,
    dirtSvg(vehicle, width, y)
  ].join('')
  return { body, width, height }
}

type Place = (metres: number) => number

function stripeSvg({ stripe: { kind, color }, model }: Vehicle, width: number, y: Place): string {
  const middle = (model.belt + model.floor) / 2
  const bar = (from: number, tall: number): string =>
    `<rect y="${y(from)}" width="${width}" height="${tall * scale}" fill="${color}"/>`
  switch (kind) {
    case 'none':
      return ''
    case 'sill':
      return bar(model.floor + 0.34, 0.16)
    case 'belt':
      return bar(model.belt - 0.08, 0.12)
    case 'double':
      return bar(middle + 0.16, 0.08) + bar(middle + 0.02, 0.08)
    case 'sweep':
      return `<path d="M0 ${y(model.belt)}Q${width * 0.5} ${y(model.belt)} ${width} ${y(model.floor + 0.1)}V${y(model.floor - 0.2)}Q${width * 0.4} ${y(middle)} 0 ${y(middle)}Z" fill="${color}"/>`
  }
}

function doorsSvg({ model, hasBlackTrim }: Vehicle, x: Place, y: Place): string {
  if (model.body === 'bus')
    return [0.36, -0.3]
      .map(
        (part) =>
          `<rect x="${x(-model.length * part) - 0.5 * scale}" y="${y(model.roof - 0.35)}" width="${scale}" height="${(model.roof - 0.75) * scale}" fill="#26313a" stroke="#666" stroke-width="4"/>`
      )
      .join('')
  const [from, to] = model.cabin
  const doors = model.body === 'van' || model.body === 'truck' ? 1 : 2
  const end = model.body === 'van' ? from + 1.6 : Math.min(to - 0.3, from + 2.4)
  const step = (end - from) / doors
  return (
    repeat(
      doors + 1,
      (i) =>
        `<path d="M${x(from + 0.1 + i * step)} ${y(model.belt)}V${y(model.floor + 0.2)}" stroke="rgba(0,0,0,.5)" stroke-width="2.5"/>`
    ) +
    repeat(
      doors,
      (i) =>
        `<rect x="${x(from + 0.1 + (i + 1) * step) - 0.3 * scale}" y="${y(model.belt - 0.16)}" width="${0.2 * scale}" height="${0.05 * scale}" fill="${hasBlackTrim ? '#111' : 'rgba(0,0,0,.35)'}"/>`
    )
  )
}

function windowsSvg(vehicle: Vehicle, x: Place, y: Place): string {
  const { model } = vehicle
  const [a, b, c, d] = model.cabin
  const [low, high] = [model.belt + 0.04, model.roof - (model.body === 'bus' ? 0.45 : 0.12)]
  // A van has a pane for the driver only.
  const share = model.body === 'van' ? 0.3 : 1
  const edge = (part: number, level: number): number => {
    const t = (level - model.belt) / (model.roof - model.belt)
    const [left, right] = [a + (c - a) * t + 0.12, b + (d - b) * t - 0.12]
    return left + (right - left) * part * share
  }
  const gap = 0.03 / model.panes
  return repeat(model.panes, (i) => {
    const [from, to] = [i / model.panes + gap, (i + 1) / model.panes - gap]
    const corners = [
      [edge(from, low), low],
      [edge(from, high), high],
      [edge(to, high), high],
      [edge(to, low), low]
    ] as const
    const outline = corners.map(([px, py]) => `${x(px)} ${y(py)}`).join('L')
    return `<path d="M${outline}Z" fill="${glassOf(vehicle)}" stroke="#15171a" stroke-width="4" stroke-linejoin="round"/><path d="M${x(edge(from + 0.1 / model.panes, low))} ${y(low)}L${x(edge(from + 0.35 / model.panes, high))} ${y(high)}" stroke="rgba(255,255,255,.14)" stroke-width="9"/>`
  })
}

function letteringSvg({ model, lettering }: Vehicle, x: Place, y: Place): string {
  if (lettering === undefined || model.body === 'truck') return ''
  const area = {
    van: { from: -0.35, to: 2.3, low: 1.2, high: 1.95 },
    bus: { from: -2.4, to: 2.4, low: 0.62, high: 1.12 }
  }[model.body as 'van' | 'bus'] ?? { from: -0.9, to: 1.1, low: 0.45, high: 0.75 }
  const box = {
    x: x(area.from),
    y: y(area.high),
    width: (area.to - area.from) * scale,
    height: (area.high - area.low) * scale
  }
  const plate =
    lettering.plate === undefined
      ? ''
      : `<rect x="${box.x - 8}" y="${box.y - 8}" width="${box.width + 16}" height="${box.height + 16}" rx="10" fill="${lettering.plate}"/>`
  return (
    plate +
    wordSvg(lettering.word, box, {
      color: lettering.color,
      weight: 1.4,
      outline: '#ffffff',
      isRound: true
    })
  )
}

const lampEnds = ({ nose, tail }: Model, width: number, y: Place): string =>
  `<rect x="0" y="${y(nose - 0.08)}" width="${0.22 * scale}" height="${0.16 * scale}" fill="#dfe7ea"/><rect x="${width - 0.16 * scale}" y="${y(tail - 0.06)}" width="${0.16 * scale}" height="${0.26 * scale}" fill="#a3161a"/>`

function dirtSvg({ dirt, dirtSeed, model }: Vehicle, width: number, y: Place): string {
  if (dirt === 0) return ''
  const random = createRandom(dirtSeed)
  const veil = `<defs><linearGradient id="d" x1="0" x2="0" y1="0" y2="1"><stop offset="0" stop-color="#6b5638" stop-opacity="0"/><stop offset="1" stop-color="#6b5638" stop-opacity="${(0.85 * dirt).toFixed(2)}"/></linearGradient></defs>`
  const splashes = repeat(
    Math.round(26 * dirt),
    () =>
      `<ellipse cx="${random.between(0, width)}" cy="${y(random.between(model.floor, model.belt))}" rx="${random.between(4, 26)}" ry="${random.between(3, 14)}" fill="#5a472d" opacity="${random.between(0.2, 0.6).toFixed(2)}"/>`
  )
  return `${veil}<rect y="${y(model.belt)}" width="${width}" height="${(model.belt - model.floor) * scale}" fill="url(#d)"/>${splashes}`
}

const endPlate = (text: string, width: number, top: number, color: string): string => {
  const [w, h] = [0.52 * scale, 0.14 * scale]
  return `<rect x="${(width - w) / 2}" y="${top}" width="${w}" height="${h}" fill="${color}" stroke="#222" stroke-width="2"/>${wordSvg(text, { x: (width - w) / 2 + 4, y: top + 3, width: w - 8, height: h - 6 }, { color: '#111', weight: 1.1 })}`
}

/** Draws the front. `tall`: height in metres, from the underside to the bonnet. */
export function frontArt(
  { model, color, numberPlate, hasBlackTrim }: Vehicle,
  tall: number
): { body: string; width: number; height: number } {
  const [width, height] = [model.width * scale, tall * scale]
  const lamp = [
    `<rect x="6" y="${height * 0.2}" width="${width * 0.22}" height="${height * 0.2}" rx="6" fill="#eef4f6"/>`,
    `<circle cx="${width * 0.14}" cy="${height * 0.32}" r="${height * 0.15}" fill="#eef4f6" stroke="#777" stroke-width="3"/>`,
    `<path d="M4 ${height * 0.18}L${width * 0.27} ${height * 0.34}L${width * 0.22} ${height * 0.42}L4 ${height * 0.38}Z" fill="#eef4f6"/>`
  ][model.lamps]!
  const grille = [
    `<rect x="${width * 0.32}" y="${height * 0.2}" width="${width * 0.36}" height="${height * 0.26}" rx="5" fill="#15171a"/>${repeat(4, (i) => `<rect x="${width * 0.33}" y="${height * (0.23 + 0.055 * i)}" width="${width * 0.34}" height="3" fill="#aab"/>`)}`,
    `<rect x="${width * 0.3}" y="${height * 0.28}" width="${width * 0.4}" height="${height * 0.09}" fill="#222"/><circle cx="${width / 2}" cy="${height * 0.32}" r="${height * 0.08}" fill="#c9ccd0"/>`,
    `<path d="M${width * 0.28} ${height * 0.2}H${width * 0.72}L${width * 0.64} ${height * 0.5}H${width * 0.36}Z" fill="#111"/>${repeat(6, (i) => `<rect x="${width * (0.36 + 0.05 * i)}" y="${height * 0.22}" width="3" height="${height * 0.24}" fill="#888"/>`)}`
  ][model.grille]!
  const bumper = `<rect x="0" y="${height * 0.62}" width="${width}" height="${height * 0.38}" fill="${hasBlackTrim ? '#1d1e20' : 'rgba(0,0,0,.18)'}"/>`
  const body = `<rect width="${width}" height="${height}" fill="${color}"/>${bumper}${lamp}<g transform="translate(${width} 0) scale(-1 1)">${lamp}</g>${grille}${endPlate(numberPlate, width, height * 0.64, '#f6f6f2')}`
  return { body, width, height }
}

export function rearArt(
  { model, color, numberPlate, hasBlackTrim }: Vehicle,
  tall: number
): { body: string; width: number; height: number } {
  const [width, height] = [model.width * scale, tall * scale]
  const lamp = [
    `<rect x="4" y="${height * 0.12}" width="${width * 0.18}" height="${height * 0.24}" fill="#b3161b"/>`,
    `<rect x="4" y="${height * 0.05}" width="${width * 0.09}" height="${height * 0.45}" fill="#b3161b"/>`,
    `<path d="M4 ${height * 0.15}H${width * 0.28}V${height * 0.26}L4 ${height * 0.36}Z" fill="#b3161b"/>`
  ][model.lamps]!
  const bumper = `<rect y="${height * 0.66}" width="${width}" height="${height * 0.34}" fill="${hasBlackTrim ? '#1d1e20' : 'rgba(0,0,0,.18)'}"/>`
  const body = `<rect width="${width}" height="${height}" fill="${color}"/><rect y="${height * 0.4}" width="${width}" height="3" fill="rgba(0,0,0,.4)"/>${bumper}${lamp}<g transform="translate(${width} 0) scale(-1 1)">${lamp}</g>${endPlate(numberPlate, width, height * 0.46, '#f3d23c')}`
  return { body, width, height }
}

/** Draws tyre and rim in a square of 200, transparent around. */
export function wheelArt({ rims: { spokes, color, style } }: Vehicle): string {
  const tyre =
    '<circle cx="100" cy="100" r="99" fill="#141416"/><circle cx="100" cy="100" r="70" fill="#25262a"/>'
  const hub = `<circle cx="100" cy="100" r="14" fill="${color}" stroke="#333" stroke-width="3"/>`
  if (style === 'cover')
    return `${tyre}<circle cx="100" cy="100" r="66" fill="${color}"/>${repeat(spokes * 2, (i) => `<rect transform="rotate(${(i * 180) / spokes} 100 100)" x="97" y="40" width="6" height="22" fill="#555"/>`)}${hub}`
  if (style === 'holes')
    return `${tyre}<circle cx="100" cy="100" r="66" fill="${color}"/>${repeat(spokes, (i) => `<circle transform="rotate(${(i * 360) / spokes} 100 100)" cx="100" cy="58" r="11" fill="#1a1a1c"/>`)}${hub}`
  const width = spokes > 7 ? 9 : 17
  return `${tyre}<circle cx="100" cy="100" r="66" fill="none" stroke="${color}" stroke-width="8"/>${repeat(spokes, (i) => `<rect transform="rotate(${(i * 360) / spokes} 100 100)" x="${100 - width / 2}" y="36" width="${width}" height="64" fill="${color}"/>`)}${hub}`
}

/** Draws the side of a truck's load: sign and colour fill the side. */
export function loadArt(
  { lettering, stripe, color }: Vehicle,
  width: number,
  height: number
): string {
  const ground = lettering?.plate ?? (stripe.kind === 'none' ? '#eceeee' : color)
  const drawnStripe =
    stripe.kind === 'sweep'
      ? `<path d="M0 ${height}L${width} ${height * 0.4}V${height}Z" fill="${stripe.color}"/>`
      : `<rect y="${height * 0.78}" width="${width}" height="${height * 0.12}" fill="${stripe.color}"/>`
  const band = stripe.kind === 'none' ? '' : drawnStripe
  const word =
    lettering === undefined
      ? ''
      : wordSvg(
          lettering.word,
          { x: width * 0.08, y: height * 0.22, width: width * 0.84, height: height * 0.42 },
          { color: lettering.color, weight: 1.3, outline: '#fff', isRound: true }
        )
  const ribs = repeat(
    9,
    (i) =>
      `<rect x="${(width * (i + 1)) / 10}" width="2" height="${height}" fill="rgba(0,0,0,.16)"/>`
  )
  return `<rect width="${width}" height="${height}" fill="${ground}"/>${band}${ribs}${word}<rect width="${width}" height="${height}" fill="none" stroke="#777" stroke-width="8"/>`
}
