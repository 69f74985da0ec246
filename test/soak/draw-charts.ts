// Draws the samples of a soak as an SVG: one chart below the other, over the same time.
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
  const [first, last] = [samples[0]?.atMs ?? 0, samples.at(-1)?.atMs ?? 1]
  const known = samples.filter((sample) => Number.isFinite(of(sample)))
  const most = known.reduce((highest, sample) => Math.max(highest, of(sample)), 1)
  const points = known.map((sample) => {
    const x = left + ((width - left - 20) * (sample.atMs - first)) / Math.max(1, last - first)
    const y = top + height - (height * of(sample)) / most
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const minutes = ((last - first) / 60_000).toFixed(0)
  return `<text x="${left}" y="${top - 8}">${title}</text>
<rect x="${left}" y="${top}" width="${width - left - 20}" height="${height}" fill="none" stroke="#bbb"/>
<text x="${left - 8}" y="${top + 12}" text-anchor="end">${most.toFixed(0)}</text>
<text x="${left - 8}" y="${top + height}" text-anchor="end">0</text>
<text x="${width - 20}" y="${top + height + 16}" text-anchor="end">${minutes} min</text>
<polyline points="${points.join(' ')}" fill="none" stroke="#1f4ed8" stroke-width="1.5"/>`
}

export const drawCharts = (samples: readonly Sample[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${charts.length * (height + gap) + gap}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
${charts.map((chart, n) => drawChart(samples, chart, gap + n * (height + gap))).join('\n')}
</svg>
`
