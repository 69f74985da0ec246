import { expect, it } from 'vitest'
import { noisePicture } from '../fixture/pictures.ts'
import { drawMosaic } from './view-mosaic.ts'
import type { ViewRandom } from './view-mosaic.ts'

function createNumbers(seed: number): ViewRandom {
  let state = seed
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647
  return { next, between: (low, high) => low + (high - low) * next(), below: (count) => Math.floor(next() * count) }
}
const white = { rgb: new Uint8Array(60 * 40 * 3).fill(255), width: 60, height: 40 }

it('draws each picture into its own cell, inside the canvas, the same for the same numbers', () => {
  const draw = () => drawMosaic(Array(4).fill(white), { size: { width: 200, height: 160 }, ground: undefined, random: createNumbers(7) })
  const { canvas, boxes } = draw()
  const again = draw()
  expect([again.boxes, Buffer.compare(again.canvas.rgb, canvas.rgb)]).toEqual([boxes, 0])
  boxes.forEach(([x1, y1, x2, y2], i) => {
    expect(x2 > x1 + 30 && y2 > y1 + 20 && x1 >= 0 && y1 >= 0 && x2 <= 200 && y2 <= 160).toBe(true)
    expect([Math.floor((x1 + x2) / 200), Math.floor((y1 + y2) / 160)]).toEqual([i % 2, i >> 1])
    const middle = 3 * (Math.round((y1 + y2) / 2) * 200 + Math.round((x1 + x2) / 2))
    expect(canvas.rgb[middle]).not.toBe(114)
  })
})

it('puts the ground behind them', () => {
  const ground = noisePicture(20, 20, 5)
  const { canvas } = drawMosaic([white], { size: { width: 40, height: 40 }, ground, random: createNumbers(8) })
  expect([...canvas.rgb.subarray(0, 3)]).toEqual([...ground.rgb.subarray(0, 3)])
})
