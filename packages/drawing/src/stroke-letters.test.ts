import { expect, test } from 'vitest'
import { drawSvg, svgDocument } from './draw-svg.ts'
import { wordSvg } from './stroke-letters.ts'

const style = { color: '#000', weight: 1 }

test('every capital and digit is drawn inside its area, and no two look the same', async () => {
  const seen = new Map<string, string>()
  for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789') {
    const { rgba } = await drawSvg(
      svgDocument(40, 40, wordSvg(letter, { x: 5, y: 5, width: 30, height: 30 }, style))
    )
    const ink = (x: number, y: number): number => rgba[4 * (40 * y + x) + 3]!
    // A border of one pixel around the area, for the corners of slanted ends.
    const outside = Array.from(
      { length: 40 },
      (_, i) => ink(i, 3) + ink(i, 36) + ink(3, i) + ink(36, i)
    ).reduce((a, b) => a + b)
    expect(outside, letter).toBe(0)
    expect(
      rgba.some((value, i) => i % 4 === 3 && value > 200),
      letter
    ).toBe(true)
    const same = seen.get(rgba.join())
    // O and 0 are drawn with the same strokes.
    if (letter !== '0') expect(same, `${letter} looks like ${same}`).toBeUndefined()
    seen.set(rgba.join(), letter)
  }
})

test('a character without strokes is refused, not left out', () => {
  expect(() => wordSvg('é', { x: 0, y: 0, width: 10, height: 10 }, style)).toThrow('no strokes')
})
