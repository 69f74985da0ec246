import { expect, it } from 'vitest'
import { noisePicture } from '../fixture/pictures.ts'
import { drawMosaic, type ViewRandom } from './view-mosaic.ts'

function createNumbers(seed: number): ViewRandom {
  let state = seed
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    below: (count) => Math.floor(next() * count)
  }
}
const white = { rgb: new Uint8Array(60 * 40 * 3).fill(255), width: 60, height: 40 }

it('draws each picture into its own cell, inside the canvas, the same for the same numbers', () => {
  const draw = () =>
    drawMosaic(Array(4).fill(white), {
      size: { width: 200, height: 160 },
      ground: undefined,
      random: createNumbers(7)
    })
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
  const { canvas } = drawMosaic([white], {
    size: { width: 40, height: 40 },
    ground,
    random: createNumbers(8)
  })
  expect([...canvas.rgb.subarray(0, 3)]).toEqual([...ground.rgb.subarray(0, 3)])
})

it('without numbers pictures stay as they are, as large as their cell allows', () => {
  const picture = { rgb: Uint8Array.from({ length: 3 * 8 * 4 }, (_, i) => i), width: 8, height: 4 }
  const { canvas, boxes } = drawMosaic([picture, picture], {
    size: { width: 32, height: 16 },
    ground: undefined,
    random: undefined
  })
  expect(boxes).toEqual([
    [0, 0, 16, 8],
    [16, 0, 32, 8]
  ])
  const at = (x: number, y: number): number => canvas.rgb[3 * (y * 32 + x)]!
  // Twice the size: each pixel is repeated four times.
  expect([at(0, 0), at(1, 1), at(2, 0), at(15, 7), at(16, 0)]).toEqual([0, 0, 3, 3 * 31, 0])
  expect(at(0, 12)).toBe(114)
})
