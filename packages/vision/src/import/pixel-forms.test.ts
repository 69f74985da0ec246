import { expect, test } from 'vitest'
import { normalisations } from '../semantic/semantic-model.ts'
import { openClipPixels, timmPixels, transformersPixels } from './pixel-forms.ts'

const { imagenet, half, clip, unit } = normalisations
const square = (side: number) => ({ width: side, height: side })
const means = { image_mean: imagenet.mean, image_std: imagenet.deviation }
const seen = (entries: Record<string, unknown>) => {
  const { size, shortestEdge, order } = transformersPixels(entries)!
  return { size, ...(shortestEdge && { shortestEdge }), ...(order && { order }) }
}

test("transformers' processors say size and cut in several ways", () => {
  const cut = { do_center_crop: true, crop_size: { height: 224, width: 224 } }
  expect(seen({ ...means, ...cut, size: { shortest_edge: 256 } })).toEqual({
    size: square(224),
    shortestEdge: 256
  })
  // CLIP, older.
  expect(seen({ ...means, do_center_crop: true, crop_size: 224, size: 224 })).toEqual({
    size: square(224),
    shortestEdge: 224
  })
  // ViT, older.
  expect(seen({ ...means, size: 224 })).toEqual({ size: square(224) })
  expect(seen({ ...means, size: { height: 256, width: 128 } })).toEqual({
    size: { width: 128, height: 256 }
  })
  // A cut that is not made.
  expect(
    seen({ ...means, do_center_crop: false, crop_size: 224, size: { height: 384, width: 384 } })
  ).toEqual({ size: square(384) })
  // ConvNeXt and ResNet, small and large.
  expect(seen({ ...means, crop_pct: 0.875, size: { shortest_edge: 224 } })).toEqual({
    size: square(224),
    shortestEdge: 256
  })
  expect(seen({ ...means, crop_pct: 0.875, size: { shortest_edge: 384 } })).toEqual({
    size: square(384)
  })
})

test('numbers of pixels are those of colours from 0 to 1', () => {
  const numbersOf = (entries: Record<string, unknown>) => {
    const { mean, deviation } = transformersPixels({ size: 224, ...entries })!.normalisation!
    return [...mean, ...deviation].map((value) => Number(value.toFixed(6)))
  }
  const plain = [...unit.mean, ...unit.deviation]
  expect(numbersOf({ ...means, rescale_factor: 1 / 255 })).toEqual([
    ...imagenet.mean,
    ...imagenet.deviation
  ])
  expect(numbersOf({ do_normalize: false })).toEqual(plain)
  // 0..255: mean and deviation of that range.
  const wide = { image_mean: [127.5, 127.5, 127.5], image_std: [127.5, 127.5, 127.5] }
  const halves = [...half.mean, ...half.deviation]
  expect(numbersOf({ ...wide, do_rescale: false })).toEqual(halves)
  expect(
    numbersOf({ do_normalize: false, rescale_factor: 1 / 127.5, rescale_offset: true })
  ).toEqual(halves)
  // MobileViT: no mean, BGR.
  const mobile = { do_flip_channel_order: true, crop_size: 256, size: { shortest_edge: 288 } }
  expect(numbersOf(mobile)).toEqual(plain)
  expect(seen(mobile)).toEqual({ size: square(256), shortestEdge: 288, order: 'BGR' })
  expect(transformersPixels({ size: 224 })!.normalisation).toBeUndefined()
  expect(() => transformersPixels({ ...means, rescale_factor: -1 })).toThrow(/rescale_factor is -1/)
})

test("open_clip's modes, also in the words of jina-clip", () => {
  const told = { size: 224, mean: clip.mean, std: clip.deviation, interpolation: 'bicubic' }
  expect(openClipPixels({ ...told, resize_mode: 'squash' })).toMatchObject({
    size: square(224),
    shortestEdge: undefined,
    interpolation: 'bicubic',
    notes: []
  })
  expect(openClipPixels(told)!.shortestEdge).toBe(224)
  expect(openClipPixels({ ...told, size: [256, 128] })!.size).toEqual({ width: 128, height: 256 })
  expect(openClipPixels({ ...told, resize_mode: 'longest' })!.notes).toEqual([
    expect.stringContaining('longest')
  ])
  expect(transformersPixels({ ...told, resize_mode: 'shortest' })).toMatchObject({
    size: square(224),
    shortestEdge: 224,
    normalisation: { mean: clip.mean, deviation: clip.deviation }
  })
})

test("timm's entries, nested or not", () => {
  const own = { input_size: [3, 224, 224], mean: half.mean, std: half.deviation, crop_pct: 0.9 }
  expect(timmPixels({ architecture: 'x', pretrained_cfg: own })).toMatchObject({
    size: square(224),
    shortestEdge: 248
  })
  expect(timmPixels({ ...own, crop_mode: 'squash' })!.shortestEdge).toBeUndefined()
  expect(timmPixels({ architectures: ['Dinov2Model'], hidden_size: 384 })).toBeUndefined()
})

test('another file of that name says nothing, and sides have a bound', () => {
  expect(transformersPixels({ feature_extractor: 'x' })).toBeUndefined()
  expect(openClipPixels({})).toBeUndefined()
  expect(() => transformersPixels({ ...means, size: { height: 1e6, width: 1 } })).toThrow(
    RangeError
  )
  expect(() => transformersPixels({ ...means, image_mean: [1, 2], size: 3 })).toThrow(
    'mean is [1,2], three numbers are needed'
  )
})
