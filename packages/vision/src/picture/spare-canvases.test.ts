import { expect, test } from 'vitest'
import { createSpareCanvases } from './spare-canvases.ts'

const itself = async (canvas: Float32Array): Promise<Float32Array> => canvas

test('a canvas is used again, by one at a time, and only at its own length', async () => {
  const useCanvas = createSpareCanvases()
  const first = await useCanvas(12, async (canvas) => {
    expect(await useCanvas(12, itself)).not.toBe(canvas)
    return canvas
  })
  expect(await useCanvas(24, itself)).toHaveLength(24)
  const again = [await useCanvas(12, itself), await useCanvas(12, itself)]
  expect(again).toContain(first)
})

test('work that fails gives it back too', async () => {
  const useCanvas = createSpareCanvases()
  const kept = await useCanvas(4, itself)
  await expect(useCanvas(4, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await useCanvas(4, itself)).toBe(kept)
})

test('the oldest are let go past the limit', async () => {
  const useCanvas = createSpareCanvases(4 * 30)
  const [oldest, middle] = [await useCanvas(10, itself), await useCanvas(20, itself)]
  const newest = await useCanvas(5, itself)
  expect(await useCanvas(20, itself)).toBe(middle)
  expect(await useCanvas(5, itself)).toBe(newest)
  expect(await useCanvas(10, itself)).not.toBe(oldest)
  await useCanvas(31, itself)
  expect(await useCanvas(5, itself)).not.toBe(newest)
})
