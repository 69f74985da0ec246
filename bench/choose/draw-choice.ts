// Pictures of the trade-offs: recall against time, and recall against memory.
import type { Metric } from '@likeness/shared/contract/collection'
import { drawPage, type Frame, logTicks } from '@likeness/shared/data/svg-chart'
import { drawMethods } from '../../apps/cli/src/tune/tune-svg.ts'
import type { MethodFigures } from '../../apps/cli/src/tune/try-methods.ts'

const width = 340
const height = 240
const left = 60
const top = 50
const gap = 80
const titles: Partial<Record<Metric, string>> = { cosine: 'Unit vectors, cosine', hamming: 'Bits' }

function frameAt(n: number, title: string, x: Frame['x']): Frame {
  const y = { label: 'recall@10', from: 0, to: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] }
  return { left: left + n * (width + gap), top, width, height, title, x, y }
}

function draw(
  figures: readonly MethodFigures[],
  label: string,
  at: (one: MethodFigures) => number
): string {
  const shown = (Object.keys(titles) as Metric[]).map((metric) =>
    figures.filter((one) => one.metric === metric)
  )
  const values = shown.flat().map(at)
  const ticks = logTicks(Math.min(...values), Math.max(...values))
  const x = { label, from: ticks[0]!, to: ticks.at(-1)!, ticks, log: true }
  const frames = shown.map((own, n) => drawMethods(frameAt(n, titles[own[0]!.metric]!, x), own, at))
  const size = { width: left + frames.length * (width + gap), height: height + 2 * top }
  return drawPage({ ...size, title: `recall over ${label}` }, frames)
}

/** By the names of their files. */
export const renderChoice = (figures: readonly MethodFigures[]): Record<string, string> => ({
  'choosing-time.svg': draw(figures, 'processor ms a search', ({ cpuMs }) => cpuMs),
  'choosing-memory.svg': draw(figures, 'bytes a row in memory', ({ bytesARow }) => bytesARow)
})
