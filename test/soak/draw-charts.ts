// Draws the samples of a soak as an SVG: one chart below the other, over the same time.
import { colours, drawFrame, drawLine, drawPage, type Frame } from '@likeness/shared/data/svg-chart'
import type { Sample } from './samples.ts'

const width = 900
const height = 150
const left = 80
const gap = 50

const charts: readonly { title: string; of: (sample: Sample) => number }[] = [
  { title: 'memory of all processes, MB', of: ({ memoryMb }) => memoryMb },
  { title: 'files in the object store', of: ({ files }) => files },
  { title: 'search, p95, ms', of: ({ searchP95Ms }) => searchP95Ms },
  { title: 'upload, p95, ms', of: ({ uploadP95Ms }) => uploadP95Ms }
]

function drawChart(
  samples: readonly Sample[],
  { title, of }: (typeof charts)[number],
  top: number
): string {
  const firstMs = samples[0]?.atMs ?? 0
  const minutes = ({ atMs }: Sample): number => (atMs - firstMs) / 60_000
  const known = samples.filter((sample) => Number.isFinite(of(sample)))
  const most = known.reduce((highest, sample) => Math.max(highest, of(sample)), 1)
  const end = Math.max(0.01, ...samples.map(minutes))
  const frame: Frame = {
    left,
    top,
    width: width - left - 20,
    height,
    title,
    x: { label: '', from: 0, to: end, ticks: [end], text: (tick) => `${tick.toFixed(0)} min` },
    y: { label: '', from: 0, to: most, ticks: [0, most], text: (tick) => tick.toFixed(0) }
  }
  const points = known.map((sample) => [minutes(sample), of(sample)] as const)
  return drawFrame(frame) + drawLine(frame, points, `stroke="${colours[0]}" stroke-width="1.5"`)
}

export const drawCharts = (samples: readonly Sample[]): string =>
  drawPage(
    { width, height: charts.length * (height + gap) + gap, title: 'soak' },
    charts.map((chart, n) => drawChart(samples, chart, gap + n * (height + gap)))
  )
