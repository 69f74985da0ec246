// Two small diagrams as one SVG: what was said against what was right, and false accepts against
// false rejects.
import {
  drawDot,
  drawFrame,
  drawLine,
  drawPage,
  type Frame,
  type Point
} from '@likeness/shared/data/svg-chart'
import type { ReliabilityFigures } from './reliability-figures.ts'

const side = 260
const margin = 46
const gap = 90
const share = (label: string) => ({ label, from: 0, to: 1, ticks: [0, 0.5, 1] })
const frameAt = (left: number, title: string, x: string, y: string): Frame => ({
  left,
  top: margin,
  width: side,
  height: side,
  title,
  x: share(x),
  y: share(y)
})

function reliability(frame: Frame, { bins }: ReliabilityFigures): string {
  const most = Math.max(1, ...bins.map(({ count }) => count))
  const dots = bins.map(({ count, confidence, right }) =>
    confidence === null || right === null
      ? ''
      : drawDot(frame, [confidence, right], {
          radius: 3 + 9 * Math.sqrt(count / most),
          style: 'fill="#1e88e5" fill-opacity=".6"',
          note: `${count} answers`
        })
  )
  const ideal = drawLine(
    frame,
    [
      [0, 0],
      [1, 1]
    ],
    'stroke="#bbb" stroke-dasharray="4 4"'
  )
  return drawFrame(frame) + ideal + dots.join('')
}

function errors(frame: Frame, { curve }: ReliabilityFigures): string {
  const points = curve.flatMap(({ falseAccept, falseReject }): Point[] =>
    falseAccept === null || falseReject === null ? [] : [[falseAccept, falseReject]]
  )
  const line =
    points.length === 0
      ? `<text x="${frame.left + side / 2}" y="${margin + side / 2}" text-anchor="middle">no strangers were asked</text>`
      : drawLine(frame, points, 'stroke="#d81b60" stroke-width="2"')
  return drawFrame(frame) + line
}

/** Area of a dot: the number of answers of the bin. */
export function renderReliability(figures: ReliabilityFigures, name: string): string {
  const [left, right] = [margin, margin + side + gap]
  return drawPage(
    { width: 2 * (margin + side) + gap, height: side + 2 * margin + 4, title: name },
    [
      reliability(frameAt(left, 'Reliability', 'confidence', 'part that was right'), figures),
      errors(
        frameAt(
          right,
          'Strangers against known things',
          'strangers accepted',
          'right answers refused'
        ),
        figures
      )
    ]
  )
}
