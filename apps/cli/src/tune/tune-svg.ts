// Recall over the time of a search as an SVG: a line of the budgets, and dots of the methods.
import { indexMethods } from '@likeness/shared/contract/collection'
import {
  colours,
  drawDot,
  drawFrame,
  drawLine,
  drawPage,
  type Frame,
  logTicks,
  placeX,
  placeY
} from '@likeness/shared/data/svg-chart'
import type { MeasuredBudget } from './budget-curve.ts'
import { nameOf } from './format-tune.ts'
import type { MethodFigures } from './try-methods.ts'

const width = 460
const height = 280
const margin = 60
const recallTicks = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1]

function frameOf(title: string, top: number, figures: readonly { msP50: number }[]): Frame {
  const ms = figures.map(({ msP50 }) => msP50)
  const ticks = logTicks(Math.min(...ms), Math.max(...ms))
  return {
    left: margin,
    top,
    width,
    height,
    title,
    x: { label: 'p50, ms', from: ticks[0]!, to: ticks.at(-1)!, ticks, log: true },
    y: { label: 'recall@10', from: 0.5, to: 1, ticks: recallTicks }
  }
}

function drawBudgets(frame: Frame, points: readonly MeasuredBudget[]): string {
  const dots = points.map(({ budget, recall, msP50, msP95 }) =>
    drawDot(frame, [msP50, recall], {
      radius: 3,
      style: `fill="${colours[0]}"`,
      note: `budget ${budget}: recall ${recall.toFixed(4)}, p95 ${msP95.toFixed(2)} ms`
    })
  )
  const line = drawLine(
    frame,
    points.map(({ msP50, recall }) => [msP50, recall] as const),
    `stroke="${colours[0]}" stroke-width="1.5"`
  )
  return drawFrame(frame) + line + dots.join('\n')
}

/** Area of a dot: bytes a row; `+r` at it: rescore. `at`: value of the x axis. */
export function drawMethods(
  frame: Frame,
  figures: readonly MethodFigures[],
  at: (figures: MethodFigures) => number = ({ msP50 }) => msP50
): string {
  const most = Math.max(...figures.map(({ bytesARow }) => bytesARow))
  const dots = figures.map((one) =>
    drawDot(frame, [at(one), one.recall], {
      radius: 3 + 9 * Math.sqrt(one.bytesARow / most),
      style: `fill="${colours[indexMethods.indexOf(one.method)]}" fill-opacity=".5"`,
      note: `${nameOf(one)}: recall ${one.recall.toFixed(4)}, p50 ${one.msP50.toFixed(2)} ms, ${one.bytesARow.toFixed(0)} bytes a row`
    })
  )
  const labels = figures.map((one) => {
    const [x, y] = [Number(placeX(frame, at(one))), Number(placeY(frame, one.recall))]
    const storage = one.metric === 'hamming' ? 'bits' : one.storage
    return `<text x="${x}" y="${y + 3}" font-size="8" text-anchor="middle">${storage}${one.rescore ? '+r' : ''}</text>`
  })
  const names = indexMethods.map(
    (method, i) =>
      `<text x="${frame.left + frame.width - 6}" y="${frame.top + frame.height - 8 - 14 * i}" text-anchor="end" fill="${colours[i]}">${method}</text>`
  )
  return drawFrame(frame) + [...dots, ...labels].join('\n') + names.join('')
}

export function renderTune(
  collection: string,
  points: readonly MeasuredBudget[],
  methods: readonly MethodFigures[]
): string {
  const parts: string[] = []
  const top = () => margin + parts.length * (height + 2 * margin)
  if (points.length > 0)
    parts.push(drawBudgets(frameOf('Its own method, over the budget', top(), points), points))
  if (methods.length > 0)
    parts.push(
      drawMethods(
        frameOf('Methods and storage forms, on a sample; area: bytes a row', top(), methods),
        methods
      )
    )
  return drawPage({ width: width + 2 * margin, height: top(), title: collection }, parts)
}
