// Parts of a chart as SVG text: a frame with two axes, lines and dots. Files of it are plain text.
import { escapeHtml } from './escape-html.ts'

export interface Axis {
  label: string
  from: number
  to: number
  ticks: readonly number[]
  /** Equal factors have equal lengths; `from` is above 0. */
  log?: boolean
  /** Text of a tick; default: the number. */
  text?: (tick: number) => string
}

export interface Frame {
  left: number
  top: number
  width: number
  height: number
  title: string
  x: Axis
  y: Axis
}

/** Place of a value on an axis, from 0 to 1. Values beyond the axis are put on its end. */
function share({ from, to, log = false }: Axis, value: number): number {
  const at = (number: number): number => (log ? Math.log(number) : number)
  return Math.min(1, Math.max(0, (at(value) - at(from)) / (at(to) - at(from))))
}

const text = (number: number): string => String(Math.round(number * 10) / 10)
export const placeX = ({ left, width, x }: Frame, value: number): string =>
  text(left + width * share(x, value))
export const placeY = ({ top, height, y }: Frame, value: number): string =>
  text(top + height * (1 - share(y, value)))

export function drawFrame(frame: Frame): string {
  const { left, top, width, height, title, x, y } = frame
  const bottom = top + height
  const said = (axis: Axis, tick: number): string => escapeHtml((axis.text ?? String)(tick))
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" fill="#fff" stroke="#999"/>`,
    `<text x="${left}" y="${top - 14}" font-weight="bold">${escapeHtml(title)}</text>`,
    `<text x="${left + width / 2}" y="${bottom + 32}" text-anchor="middle">${escapeHtml(x.label)}</text>`,
    y.label === ''
      ? ''
      : `<text transform="translate(${left - 34} ${top + height / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>`,
    ...x.ticks.map(
      (tick) =>
        `<text x="${placeX(frame, tick)}" y="${bottom + 14}" text-anchor="middle">${said(x, tick)}</text>`
    ),
    ...y.ticks.map(
      (tick) =>
        `<text x="${left - 6}" y="${Number(placeY(frame, tick)) + 4}" text-anchor="end">${said(y, tick)}</text>`
    )
  ].join('\n')
}

export type Point = readonly [x: number, y: number]

export const drawLine = (frame: Frame, points: readonly Point[], style: string): string =>
  `<polyline points="${points.map(([x, y]) => `${placeX(frame, x)},${placeY(frame, y)}`).join(' ')}" fill="none" ${style}/>`

/** `note`: shown by a browser at the dot. */
export const drawDot = (
  frame: Frame,
  [x, y]: Point,
  { radius, style, note }: { radius: number; style: string; note: string }
): string =>
  `<circle cx="${placeX(frame, x)}" cy="${placeY(frame, y)}" r="${text(radius)}" ${style}><title>${escapeHtml(note)}</title></circle>`

/** Colours that are told apart in grey too, in turns. */
export const colours = ['#1f4ed8', '#d81b60', '#2e7d32', '#f29900', '#6a1b9a'] as const

export const drawPage = (
  { width, height, title }: { width: number; height: number; title: string },
  parts: readonly string[]
): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222">
<title>${escapeHtml(title)}</title>
<rect width="${width}" height="${height}" fill="#f4f4f2"/>
${parts.join('\n')}
</svg>
`

const steps = [1, 2, 5]
/** Round numbers from the one below `from` to the one above `to`, three a factor of ten. */
export function logTicks(from: number, to: number): number[] {
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(from)) - 1; ; power++) {
    for (const step of steps) {
      const tick = Number((step * 10 ** power).toPrecision(1))
      ticks.push(tick)
      if (tick >= to) return ticks.slice(Math.max(0, ticks.findIndex((one) => one > from) - 1))
    }
  }
}
