import { describe, expect, test } from 'vitest'
import { resample, type Taps } from './resample.ts'

/** Uneven weights, of up to `most` samples. */
function oddTaps(targets: number, samples: number, most: number): Taps {
  const first: number[] = []
  const from = [0]
  const weights: number[] = []
  for (let i = 0; i < targets; i++) {
    const count = Math.min(1 + (i % most), samples)
    first.push((i * 7) % (samples - count + 1))
    for (let j = 0; j < count; j++) weights.push(Math.sin(i * 31 + j * 7) ** 2 / count)
    from.push(weights.length)
  }
  return {
    first: Int32Array.from(first),
    from: Int32Array.from(from),
    weights: Float32Array.from(weights)
  }
}

const noise = (width: number, height: number): Uint8Array =>
  Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => (Math.imul(i + 1, 2654435761) >>> 24) & 255
  )

/** Computes the same in the simplest way. */
function plain(rgb: Uint8Array, width: number, rows: Taps, columns: Taps): number[][] {
  const colours: number[][] = [[], [], []]
  for (let y = 0; y < rows.first.length; y++) {
    const mixed = Float32Array.from({ length: 3 * width }, (_, i) => {
      let sum = 0
      for (let tap = rows.from[y]!; tap < rows.from[y + 1]!; tap++)
        sum += rows.weights[tap]! * rgb[(rows.first[y]! + tap - rows.from[y]!) * 3 * width + i]!
      return sum * (1 / 255)
    })
    for (let x = 0; x < columns.first.length; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let tap = columns.from[x]!; tap < columns.from[x + 1]!; tap++)
          sum +=
            columns.weights[tap]! * mixed[3 * (columns.first[x]! + tap - columns.from[x]!) + c]!
        colours[c]!.push(Math.fround(sum))
      }
    }
  }
  return colours
}

describe('resample', () => {
  test.each([
    [1, 1, 1, 1],
    [5, 3, 4, 2],
    [200, 9, 64, 30],
    [171, 40, 333, 77],
    [700, 6, 31, 6]
  ])(
    'of %i x %i to %i x %i has the bits of the plain computation, and touches nothing else',
    (width, height, targetWidth, targetHeight) => {
      const rgb = noise(width, height)
      const [rows, columns] = [oddTaps(targetHeight, height, 4), oddTaps(targetWidth, width, 9)]
      const [stride, left, top] = [targetWidth + 3, 2, 1]
      const plane = stride * (targetHeight + 2)
      const out = new Float32Array(3 * plane).fill(-1)
      resample({ rgb: Buffer.from(rgb), width }, rows, columns, {
        out: out.subarray(top * stride + left),
        stride,
        plane
      })
      const wanted = new Float32Array(3 * plane).fill(-1)
      plain(rgb, width, rows, columns).forEach((values, colour) => {
        values.forEach(
          (value, i) =>
            (wanted[
              colour * plane +
                (top + Math.floor(i / targetWidth)) * stride +
                left +
                (i % targetWidth)
            ] = value)
        )
      })
      expect(out).toEqual(wanted)
    }
  )

  test('reads and writes only what is there', () => {
    const picture = { rgb: noise(4, 4), width: 4 }
    const taps = oddTaps(4, 4, 2)
    const room = () => ({ out: new Float32Array(48), stride: 4, plane: 16 })
    const invalid = expect.objectContaining({ code: 'invalid_argument' }) as unknown
    const refused = (call: () => void) => expect(call).toThrow(invalid as Error)
    refused(() => resample(picture, taps, taps, { ...room(), out: new Float32Array(47) }))
    refused(() => resample(picture, taps, taps, { ...room(), plane: 17 }))
    refused(() => resample(picture, taps, taps, { ...room(), stride: -4 }))
    refused(() => resample({ ...picture, width: 5 }, taps, taps, room()))
    refused(() => resample({ ...picture, width: 0 }, taps, taps, room()))
    refused(() =>
      resample(picture, { ...taps, first: taps.first.map((value) => value + 3) }, taps, room())
    )
    refused(() => resample(picture, taps, { ...taps, first: taps.first.map(() => -1) }, room()))
    refused(() =>
      resample(picture, { ...taps, from: taps.from.map((value) => value + 1) }, taps, room())
    )
    refused(() => resample(picture, { ...taps, from: taps.from.toReversed() }, taps, room()))
    refused(() => resample(picture, { ...taps, weights: taps.weights.subarray(1) }, taps, room()))
    refused(() => resample(picture, { ...taps, from: taps.from.subarray(1) }, taps, room()))
    const none = { first: new Int32Array(0), from: new Int32Array(1), weights: new Float32Array(0) }
    resample(picture, none, taps, { out: new Float32Array(0), stride: 0, plane: 0 })
  })
})
