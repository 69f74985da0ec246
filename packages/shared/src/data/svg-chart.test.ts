// Tests the places of values in a chart, and that its text cannot leave its place.
import { expect, test } from 'vitest'
import { drawDot, drawFrame, drawLine, drawPage, type Frame, logTicks } from './svg-chart.ts'

const frame: Frame = {
  left: 50,
  top: 20,
  width: 200,
  height: 100,
  title: 'recall & <time>',
  x: { label: 'ms', from: 1, to: 100, ticks: [1, 10, 100], log: true },
  y: { label: 'recall', from: 0.5, to: 1, ticks: [0.5, 1] }
}

test('values lie between the ends of their axes, and those beyond on the end', () => {
  const line = drawLine(
    frame,
    [
      [1, 0.5],
      [10, 0.75],
      [1_000, 2]
    ],
    'stroke="red"'
  )
  expect(line).toContain('points="50,120 150,70 250,20"')
  expect(drawDot(frame, [10, 1], { radius: 3, style: '', note: 'a<b' })).toBe(
    '<circle cx="150" cy="20" r="3" ><title>a&#60;b</title></circle>'
  )
})

test('ticks are round, and hold the values between them', () => {
  expect(logTicks(0.03, 4)).toEqual([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5])
  expect(logTicks(10, 64)).toEqual([10, 20, 50, 100])
})

test('a page is a whole SVG, whatever its texts are', () => {
  const page = drawPage({ width: 300, height: 200, title: '"x"' }, [drawFrame(frame)])
  expect(page).toContain('recall &#38; &#60;time&#62;')
  expect(page.match(/<text/g)).toHaveLength(8)
  expect(page.startsWith('<svg ') && page.endsWith('</svg>\n')).toBe(true)
})
