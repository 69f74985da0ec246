import { expect, test } from 'vitest'
import { occlude } from './occluder.ts'
import { createCanvas, type Sprite } from './pixels.ts'
import { createRandom } from './seeded-random.ts'

/** Draws a disc, so that the mark differs from its rectangle. */
function disc(side: number): Sprite {
  const rgba = new Uint8Array(side * side * 4)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      rgba[4 * (y * side + x) + 3] = Math.hypot(x - side / 2, y - side / 2) < side / 2 ? 255 : 0
  return { width: side, height: side, rgba }
}

test('30 percent of the visible pixels are hidden, from every side', () => {
  const mark = disc(120)
  for (let seed = 0; seed < 12; seed++) {
    const canvas = createCanvas(300, 300)
    canvas.rgb.fill(-1)
    occlude(canvas, mark, { left: 90, top: 60, part: 0.3, random: createRandom(seed) })
    let visible = 0
    let hidden = 0
    for (let i = 0; i < 120 * 120; i++) {
      if (mark.rgba[4 * i + 3] === 0) continue
      visible++
      if (canvas.rgb[3 * ((Math.floor(i / 120) + 60) * 300 + (i % 120) + 90)] !== -1) hidden++
    }
    expect(hidden / visible).toBeGreaterThan(0.27)
    expect(hidden / visible).toBeLessThan(0.33)
  }
})
