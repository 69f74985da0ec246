// Two small diagrams as one SVG: what was said against what was right, and false accepts against
// false rejects.
import {
  curveConfidences,
  errorCurve,
  reliabilityOf
} from '@likeness/shared/confidence/reliability'
import { escapeHtml } from '../escape-html.ts'
import { judgedAnswers, type RankedAnswer } from './ranked-figures.ts'

const side = 260
const margin = 46
const gap = 90
const ticks = [0, 0.5, 1]

interface Frame {
  left: number
  title: string
  x: string
  y: string
}
const placeX = ({ left }: Frame, value: number): number => left + side * value
const placeY = (value: number): number => margin + side * (1 - value)

function frame(of: Frame): string {
  const { left, title, x, y } = of
  const bottom = margin + side
  const labels = ticks.flatMap((tick) => [
    `<text x="${placeX(of, tick)}" y="${bottom + 14}" text-anchor="middle">${tick}</text>`,
    `<text x="${left - 6}" y="${placeY(tick) + 4}" text-anchor="end">${tick}</text>`
  ])
  return [
    `<rect x="${left}" y="${margin}" width="${side}" height="${side}" fill="#fff" stroke="#999"/>`,
    `<text x="${left}" y="${margin - 14}" font-weight="bold">${escapeHtml(title)}</text>`,
    `<text x="${left + side / 2}" y="${bottom + 32}" text-anchor="middle">${escapeHtml(x)}</text>`,
    `<text transform="translate(${left - 28} ${margin + side / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y)}</text>`,
    ...labels
  ].join('')
}

function reliability(of: Frame, answers: readonly RankedAnswer[]): string {
  const bins = reliabilityOf(judgedAnswers(answers))
  const most = Math.max(1, ...bins.map(({ count }) => count))
  const dots = bins.map(({ count, confidence, right }) =>
    confidence === null || right === null
      ? ''
      : `<circle cx="${placeX(of, confidence)}" cy="${placeY(right)}" r="${3 + 9 * Math.sqrt(count / most)}" fill="#1e88e5" fill-opacity=".6"><title>${count} answers</title></circle>`
  )
  const ideal = `<line x1="${of.left}" y1="${placeY(0)}" x2="${placeX(of, 1)}" y2="${placeY(1)}" stroke="#bbb" stroke-dasharray="4 4"/>`
  return frame(of) + ideal + dots.join('')
}

function errors(of: Frame, answers: readonly RankedAnswer[]): string {
  const points = errorCurve(judgedAnswers(answers), curveConfidences).flatMap(
    ({ falseAccept, falseReject }) =>
      falseAccept === null || falseReject === null
        ? []
        : [`${placeX(of, falseAccept)},${placeY(falseReject)}`]
  )
  const line =
    points.length === 0
      ? `<text x="${of.left + side / 2}" y="${margin + side / 2}" text-anchor="middle">no strangers were asked</text>`
      : `<polyline points="${points.join(' ')}" fill="none" stroke="#d81b60" stroke-width="2"/>`
  return frame(of) + line
}

/** Area of a dot: the number of answers of the bin. */
export function renderReliability(answers: readonly RankedAnswer[], name: string): string {
  const width = 2 * (margin + side) + gap
  const height = side + 2 * margin + 4
  const [left, right] = [margin, margin + side + gap]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222"><title>${escapeHtml(name)}</title><rect width="${width}" height="${height}" fill="#f4f4f2"/>${reliability({ left, title: 'Reliability', x: 'confidence', y: 'part that was right' }, answers)}${errors({ left: right, title: 'Strangers against known things', x: 'strangers accepted', y: 'right answers refused' }, answers)}</svg>
`
}
