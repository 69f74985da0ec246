// The output of `likeness eval --detect`.
import type { DetectionFigures } from './detection-figures.ts'

export function formatDetection(figures: DetectionFigures): string {
  const { things, recall, recallOver2, recallOver5, largestFound, bestBoxReal } = figures
  const row = (name: string, value: number | null): string =>
    `${name.padEnd(40)}  ${value === null ? '    -' : value.toFixed(3)}`
  return [
    row(`things found, of ${things}`, recall),
    row('of those over 2 % of their picture', recallOver2),
    row('of those over 5 %', recallOver5),
    row('pictures whose largest thing is found', largestFound),
    row('pictures whose best box is real', bestBoxReal),
    `${figures.msPerPicture?.toFixed(1) ?? '-'} ms a picture (median, one thread, without decoding)`
  ].join('\n')
}

const rounded = (value: number | null): number | null =>
  value === null ? null : Number(value.toFixed(4))

export function formatDetectionJson({ pictures, things, ...parts }: DetectionFigures): string {
  return JSON.stringify({
    pictures,
    things,
    ...Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, rounded(value)]))
  })
}
