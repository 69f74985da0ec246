import { describe, expect, it } from 'vitest'
import { noisePicture } from '../fixture/pictures.ts'
import { letterboxInto, placePicture, toCanvas, toPicture } from './letterbox.ts'
import { resamplingTaps } from './resampling-taps.ts'

const PAD = Math.fround(114 / 255)

describe('letterbox', () => {
  it('centres the picture and gives an odd pixel to the right and bottom bar', () => {
    expect(placePicture({ width: 640, height: 480 }, { width: 416, height: 416 })).toMatchObject({
      left: 0,
      top: 52,
      width: 416,
      height: 312,
      scaleX: 0.65
    })
    expect(placePicture({ width: 100, height: 97 }, { width: 100, height: 100 })).toMatchObject({
      left: 0,
      top: 1,
      width: 100,
      height: 97
    })
    expect(placePicture({ width: 4000, height: 1 }, { width: 64, height: 64 })).toMatchObject({
      width: 64,
      height: 1
    })
  })

  it('takes the average of the area when shrinking', () => {
    const image = {
      rgb: Uint8Array.from([0, 0, 0, 255, 255, 255, 255, 0, 0, 255, 0, 0]),
      width: 2,
      height: 2
    }
    const out = new Float32Array(3)
    letterboxInto(out, image, { width: 1, height: 1 }, placePicture(image, { width: 1, height: 1 }))
    expect([...out]).toEqual([0.75, 0.25, 0.25].map((v) => expect.closeTo(v, 5)))
  })

  it('interpolates between pixel centres when enlarging and fills the bars with grey', () => {
    const image = { rgb: Uint8Array.from([0, 0, 0, 255, 255, 255]), width: 2, height: 1 }
    const out = new Float32Array(3 * 16)
    letterboxInto(out, image, { width: 4, height: 4 }, placePicture(image, { width: 4, height: 4 }))
    const row = (y: number) => [...out.subarray(4 * y, 4 * y + 4)]
    expect(row(1)).toEqual([0, 0.25, 0.75, 1].map((v) => expect.closeTo(v, 5)))
    expect(row(2)).toEqual(row(1))
    expect([...row(0), ...row(3)]).toEqual(new Array(8).fill(PAD))
  })

  it('fills a canvas that is not square, at an offset, and leaves the rest of the batch alone', () => {
    const image = noisePicture(50, 30, 1)
    const canvas = { width: 64, height: 32 }
    const out = new Float32Array(2 * 3 * 64 * 32).fill(-1)
    letterboxInto(out.subarray(3 * 64 * 32), image, canvas, placePicture(image, canvas))
    expect(out.subarray(0, 3 * 64 * 32).every((v) => v === -1)).toBe(true)
    expect(out.subarray(3 * 64 * 32).every((v) => v >= 0 && v <= 1.00001)).toBe(true)
  })

  it('weights of every target sum to 1 and stay inside the source, for any pair of sizes', () => {
    for (const [target, source] of [
      [416, 640],
      [312, 480],
      [3, 7],
      [7, 3],
      [1, 9999],
      [9999, 1],
      [416, 417],
      [415, 416],
      [5, 5],
      [333, 999],
      [128, 3000]
    ] as const) {
      const { first, from, weights } = resamplingTaps(target, source)
      for (let i = 0; i < target; i++) {
        const sum = weights.subarray(from[i], from[i + 1]).reduce((a, b) => a + b, 0)
        if (Math.abs(sum - 1) > 1e-5) expect.fail(`${source} -> ${target}, ${i}: ${sum}`)
        expect(
          first[i]! >= 0 && first[i]! + from[i + 1]! - from[i]! <= source,
          `${source} -> ${target}, ${i}`
        ).toBe(true)
      }
    }
  })

  it('maps boxes there and back, cut to the picture', () => {
    const picture = { width: 123, height: 457 }
    const place = placePicture(picture, { width: 416, height: 416 })
    toPicture(toCanvas([10, 20, 100, 400], place), place, picture).forEach((v, i) =>
      expect(v).toBeCloseTo([10, 20, 100, 400][i]!, 9)
    )
    expect(toPicture([-9, -9, 999, 999], place, picture)).toEqual([0, 0, 123, 457])
  })
})
