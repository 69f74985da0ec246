// Capitals and digits as strokes, so that words look the same on machines with other fonts or
// without fonts.

const round = 'M2 0C.7 0 0 1 0 3C0 5 .7 6 2 6C3.3 6 4 5 4 3C4 1 3.3 0 2 0Z'
const open = 'M3.9 1.4C3.4 .3 2.7 0 2 0C.7 0 0 1 0 3C0 5 .7 6 2 6'
const bowl = 'M0 6V0H2.3C3.4 0 4 .6 4 1.65C4 2.7 3.4 3.3 2.3 3.3H0'
/** Strokes, 6 high, 4 wide unless listed in `widths`; y down. */
const strokes: Record<string, string> = {
  A: 'M0 6L2 0L4 6M.8 4H3.2',
  B: 'M0 6V0H2.3A1.45 1.45 0 0 1 2.3 2.9H0M2.3 2.9H2.45A1.55 1.55 0 0 1 2.45 6H0',
  C: `${open}C2.7 6 3.4 5.7 3.9 4.6`,
  D: 'M0 0V6H1.6C3.4 6 4 4.8 4 3C4 1.2 3.4 0 1.6 0Z',
  E: 'M3.8 0H0V6H3.8M0 2.9H3',
  F: 'M3.8 0H0V6M0 2.9H3',
  G: `${open}C3.3 6 4 5.2 4 3.4H2.3`,
  H: 'M0 0V6M4 0V6M0 2.9H4',
  I: 'M.5 0V6',
  J: 'M3.2 0V4.4C3.2 5.5 2.6 6 1.6 6C.8 6 .2 5.6 0 4.8',
  K: 'M0 0V6M3.8 0L0 3.6M1.3 2.4L4 6',
  L: 'M0 0V6H3.6',
  M: 'M0 6V0L2.3 4L4.6 0V6',
  N: 'M0 6V0L4 6V0',
  O: round,
  P: bowl,
  Q: `${round}M2.6 4.2L3.9 5.9`,
  R: `${bowl}M2 3.3L4 6`,
  S: 'M3.7 1.1C3.3 .3 2.7 0 1.9 0C.8 0 .2 .6 .2 1.5C.2 3.6 3.9 2.4 3.9 4.5C3.9 5.4 3.2 6 2 6C1 6 .3 5.6 0 4.7',
  T: 'M0 0H4M2 0V6',
  U: 'M0 0V4C0 5.4 .7 6 2 6C3.3 6 4 5.4 4 4V0',
  V: 'M0 0L2 6L4 0',
  W: 'M0 0L1.3 6L2.6 1.4L3.9 6L5.2 0',
  X: 'M0 0L4 6M4 0L0 6',
  Y: 'M0 0L2 3L4 0M2 3V6',
  Z: 'M0 0H4L0 6H4',
  0: round,
  1: 'M.4 1.2L2 0V6',
  2: 'M.2 1.4C.4 .5 1.1 0 2 0C3.2 0 3.9 .7 3.9 1.7C3.9 3.2 0 4.4 0 6H4',
  3: 'M.2 .9C.6 .3 1.2 0 2 0C3.1 0 3.7 .6 3.7 1.5C3.7 2.4 3 2.9 1.6 2.9C3.2 2.9 4 3.5 4 4.4C4 5.4 3.2 6 2 6C1 6 .4 5.6 0 4.9',
  4: 'M3 6V0L0 4.2H4',
  5: 'M3.7 0H.6L.3 2.8C.8 2.3 1.3 2.2 2 2.2C3.2 2.2 4 2.9 4 4.1C4 5.3 3.2 6 2 6C1.1 6 .4 5.6 0 4.9',
  6: 'M3.6 .8C3.2 .2 2.7 0 2.1 0C.7 0 0 1.3 0 3.6C0 5.2 .7 6 2 6C3.2 6 4 5.3 4 4.2C4 3 3.2 2.4 2.1 2.4C1.1 2.4 .3 3 0 3.8',
  7: 'M0 0H4L1.4 6',
  8: 'M2 2.8C.9 2.8 .3 2.2 .3 1.4C.3 .5 1 0 2 0C3 0 3.7 .5 3.7 1.4C3.7 2.2 3.1 2.8 2 2.8C.8 2.8 0 3.5 0 4.4C0 5.4 .8 6 2 6C3.2 6 4 5.4 4 4.4C4 3.5 3.2 2.8 2 2.8Z',
  9: 'M.4 5.2C.8 5.8 1.3 6 1.9 6C3.3 6 4 4.7 4 2.4C4 .8 3.3 0 2 0C.8 0 0 .7 0 1.8C0 3 .8 3.6 1.9 3.6C2.9 3.6 3.7 3 4 2.2'
}
/** Right angles are pointed; the tips of A, M and V would stand out of the area. */
const miterLimit = 1.5
const widths: Record<string, number> = { I: 1, J: 3.2, L: 3.6, M: 4.6, W: 5.2, 1: 2.4, ' ': 2 }

export interface LetterStyle {
  /** SVG colour. */
  color: string
  /** Weight of the stroke, for a letter 6 high: .5 is thin, 1.5 fat. */
  weight: number
  /** Degrees to the right. */
  slant?: number
  isRound?: boolean
  /** Another colour around the strokes. */
  outline?: string
}
export interface Area {
  x: number
  y: number
  width: number
  height: number
}

/**
 * Draws a word in the middle of the area, as large as possible, as an SVG group. Characters without
 * strokes are refused.
 */
export function wordSvg(
  text: string,
  area: Area,
  { color, weight, slant = 0, isRound = false, outline }: LetterStyle
): string {
  const gap = 1 + weight
  let right = 0
  const letters = [...text].map((letter) => {
    if (letter !== ' ' && strokes[letter] === undefined)
      throw new Error(`no strokes for ${JSON.stringify(letter)}`)
    const at = right
    right += (widths[letter] ?? 4) + gap
    return letter === ' '
      ? ''
      : `<path transform="translate(${at.toFixed(2)} 0)" d="${strokes[letter]!}"/>`
  })
  const lean = 6 * Math.tan((slant * Math.PI) / 180)
  const [width, height] = [right - gap + weight + Math.abs(lean), 6 + weight]
  const scale = Math.min(area.width / width, area.height / height)
  const left = area.x + (area.width - width * scale) / 2 + (weight / 2 + Math.max(0, lean)) * scale
  const top = area.y + (area.height - height * scale) / 2 + (weight / 2) * scale
  const line = isRound ? 'round' : 'miter'
  const layer = (stroke: string, strokeWidth: number): string =>
    `<g fill="none" stroke="${stroke}" stroke-width="${strokeWidth.toFixed(2)}" stroke-linejoin="${line}" stroke-miterlimit="${miterLimit}" stroke-linecap="${isRound ? 'round' : 'square'}">${letters.join('')}</g>`
  const layers = `${outline === undefined ? '' : layer(outline, weight * 1.9)}${layer(color, weight)}`
  return `<g transform="translate(${left.toFixed(2)} ${top.toFixed(2)}) scale(${scale.toFixed(4)}) skewX(${-slant})">${layers}</g>`
}
