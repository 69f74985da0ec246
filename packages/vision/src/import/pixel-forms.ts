// The forms in which frameworks write down the preparation of a picture.
import type { Size } from '../picture/letterbox.ts'
import type { PixelNumbers } from '../onnx/model-input.ts'
import { normalisations } from '../semantic/semantic-model.ts'
import { isObject } from './read-small-file.ts'

/** Preparation of a picture, as far as a file says. */
export interface Preprocessing {
  size?: Size | undefined
  /** Whole pictures were scaled to this shortest edge, and their middle was cut out. */
  shortestEdge?: number | undefined
  normalisation?: PixelNumbers | undefined
  order?: 'BGR' | undefined
  interpolation?: string | undefined
  /** Facts that are not followed here. */
  notes: string[]
}

export type Entries = Record<string, unknown>

const mostSide = 4096
/** `PIL.Image.Resampling`. */
const resamplings = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming']

/** transformers' image processors. undefined for another file of that name. */
export function transformersPixels(entries: Entries): Preprocessing | undefined {
  const mean = entries['image_mean'] ?? entries['mean']
  if (mean === undefined && entries['size'] === undefined && entries['crop_size'] === undefined)
    return undefined
  // The processors of jina-clip have open_clip's words.
  if (entries['resize_mode'] !== undefined)
    return openClipPixels({ ...entries, mean, std: entries['image_std'] ?? entries['std'] })
  const { resample, do_center_crop: crops, do_flip_channel_order: isFlipped } = entries
  const edge = shortestEdgeOf(entries)
  const isCropped = crops !== false && entries['crop_size'] !== undefined
  return {
    size: isCropped
      ? sideOf(entries['crop_size'], 'crop_size')
      : (sideOf(entries['size'], 'size') ?? square(edge?.crop)),
    shortestEdge: edge?.edge,
    normalisation: numbersFrom(entries, mean),
    order: isFlipped === true ? 'BGR' : undefined,
    interpolation: typeof resample === 'number' ? resamplings[resample] : undefined,
    notes: []
  }
}

/** `edge`: the shortest edge after scaling, absent where pictures were stretched; `crop`: side of what is seen. */
function shortestEdgeOf(entries: Entries): { edge?: number; crop: number } | undefined {
  const { size, crop_pct: share, do_center_crop: crops } = entries
  const told = isObject(size) ? size['shortest_edge'] : undefined
  // A plain number is a square, but for processors that cut out the middle.
  const edge = sideFrom(
    told ?? (typeof size === 'number' && crops === true ? size : undefined),
    'size'
  )
  if (edge === undefined) return undefined
  if (typeof share !== 'number' || !(share > 0)) return { edge, crop: edge }
  // ConvNeXt's: larger pictures are stretched.
  return edge >= 384 ? { crop: edge } : { edge: Math.floor(edge / share), crop: edge }
}

/** Values are p x rescale_factor (- 1), less the mean, by the deviation; here p is 0..1. */
function numbersFrom(entries: Entries, mean: unknown): PixelNumbers | undefined {
  const { do_rescale: rescales, do_normalize: normalises, rescale_offset: hasOffset } = entries
  const factor = rescales === false ? 1 : (entries['rescale_factor'] ?? 1 / 255)
  if (typeof factor !== 'number' || !(factor > 0))
    throw new RangeError(`rescale_factor is ${shown(factor)}, a number above 0 is needed`)
  const scale = factor * 255
  const less = hasOffset === true ? 1 : 0
  // MobileViT's processor has no mean, and always this entry.
  const isPlain = normalises === false || (mean === undefined && 'do_flip_channel_order' in entries)
  if (!isPlain && mean === undefined) return undefined
  const [means, deviations] = isPlain
    ? [normalisations.unit.mean, normalisations.unit.deviation]
    : [triple(mean, 'mean'), triple(entries['image_std'] ?? entries['std'], 'std')]
  return {
    mean: means.map((value) => (value + less) / scale),
    deviation: deviations.map((value) => value / scale)
  }
}

/** open_clip's and Immich's `preprocess_cfg`. */
export function openClipPixels(entries: Entries): Preprocessing | undefined {
  const { size: told, mean, std, interpolation, resize_mode: mode = 'shortest' } = entries
  if (mean === undefined && told === undefined) return undefined
  const size = sideOf(told, 'size')
  return {
    size,
    shortestEdge: mode === 'shortest' && size ? Math.min(size.width, size.height) : undefined,
    normalisation:
      mean === undefined
        ? undefined
        : { mean: triple(mean, 'mean'), deviation: triple(std, 'std') },
    interpolation: textOf(interpolation),
    notes:
      mode === 'longest'
        ? ['its pictures had bars at their sides (resize_mode longest); here they are stretched']
        : []
  }
}

/** timm's `pretrained_cfg`, which older files have at their top. */
export function timmPixels(entries: Entries): Preprocessing | undefined {
  const nested = entries['pretrained_cfg']
  const own = isObject(nested) ? nested : entries
  const { input_size: input, mean, std, crop_pct: share, crop_mode: mode = 'center' } = own
  if (!Array.isArray(input) || mean === undefined) return undefined
  const size = sideOf(input.slice(1), 'input_size')
  const part = typeof share === 'number' && share > 0 ? share : 1
  return {
    size,
    shortestEdge:
      mode === 'center' && size ? Math.floor(Math.min(size.width, size.height) / part) : undefined,
    normalisation: { mean: triple(mean, 'mean'), deviation: triple(std, 'std') },
    interpolation: textOf(own['interpolation']),
    notes: []
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, 40) : undefined

const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 100)

function triple(values: unknown, name: string): number[] {
  const isGood = (value: unknown): boolean =>
    typeof value === 'number' && Number.isFinite(value) && (name !== 'std' || value !== 0)
  if (!Array.isArray(values) || values.length !== 3 || !values.every(isGood))
    throw new RangeError(`${name} is ${shown(values)}, three numbers are needed`)
  return values as number[]
}

/** A number, `[height, width]` or `{height, width}`; undefined for another way to say it. */
function sideOf(value: unknown, name: string): Size | undefined {
  if (typeof value === 'number') return square(sideFrom(value, name))
  const listed = isObject(value) ? [value['height'], value['width']] : value
  const [height, width]: unknown[] = Array.isArray(listed) ? listed : []
  if (height === undefined || width === undefined) return undefined
  return { width: sideFrom(width, name)!, height: sideFrom(height, name)! }
}

const square = (side: number | undefined): Size | undefined =>
  side === undefined ? undefined : { width: side, height: side }

function sideFrom(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > mostSide)
    throw new RangeError(
      `${name} is ${shown(value)}, whole pixels from 1 to ${mostSide} are needed`
    )
  return value
}
