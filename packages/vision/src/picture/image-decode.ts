// Decodes untrusted bytes to upright 8-bit sRGB pixels, within limits of memory and time. The only
// place where sharp reads untrusted bytes.
import sharp, { type Metadata } from 'sharp'
import { endsEarly, type ImageFormat, sniffImageFormat } from '@likeness/shared/data/image-format'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import { chooseBackground, type Color, flattenAlpha, isOpaque } from './flatten.ts'

export interface DecodedImage {
  /** u8 [height, width, 3], sRGB. */
  rgb: Uint8Array
  width: number
  height: number
  /**
   * u8 [height, width, 4], where a part of the picture is transparent. Such a picture can get
   * another ground, and its borders can be cut off.
   */
  rgba?: Uint8Array
}

export interface DecodeOptions {
  /** Limit of width x height; default 50 million. */
  maxPixels?: number
  /** Ground under transparency; `auto` is white, or dark grey for marks that are near white. */
  background?: Color | 'auto'
}

const DEFAULT_MAX_PIXELS = 5e7
/**
 * Limit for progressive pictures, which are held whole as coefficients: 12 000 x 12 000 in 845 kB
 * takes 480 MB.
 */
const MAX_PROGRESSIVE_PIXELS = 2.5e7
const TIMEOUT_S = 60

const loaders = ['JpegBuffer', 'PngBuffer', 'WebpBuffer', 'NsgifBuffer', 'TiffBuffer', 'HeifBuffer']
let hardened = false

/**
 * Process-wide, done by the first decode: no cache and a single thread per picture. From then on
 * sharp opens only jpeg, png, webp, gif, tiff and avif, from memory only.
 */
export function hardenSharp(): void {
  if (hardened) return
  sharp.cache(false)
  sharp.concurrency(1)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: loaders.map((loader) => `VipsForeignLoad${loader}`) })
  hardened = true
}

/**
 * Decodes the first frame of an animation, applies the EXIF orientation, converts CMYK, 16-bit,
 * grey and palette, and flattens transparency. Rejects with `image_empty`, `image_unsupported`
 * (SVG, HEIC, text...), `image_truncated`, `image_corrupt`, `image_too_many_pixels`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions = {}
): Promise<DecodedImage> {
  hardenSharp()
  if (!bytes.byteLength) throw appError('image_empty', 'the file has no bytes')
  const format = sniffImageFormat(bytes)
  if (!format)
    throw appError('image_unsupported', 'not a JPEG, PNG, WebP, GIF, TIFF or AVIF picture')
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS
  try {
    const input = sharp(bytes, { limitInputPixels: maxPixels, pages: 1 })
    checkSize(await input.metadata(), format, maxPixels)
    const { data, info } = await input
      .autoOrient()
      .toColourspace('srgb')
      .timeout({ seconds: TIMEOUT_S })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return {
      ...flattened(data, info.channels, options.background ?? 'auto'),
      width: info.width,
      height: info.height
    }
  } catch (error) {
    throw isAppError(error) ? error : explain(error, bytes, format)
  }
}

function checkSize(metadata: Metadata, format: ImageFormat, maxPixels: number): void {
  if (metadata.format !== (format === 'avif' ? 'heif' : format))
    throw appError('image_unsupported', `looks like ${format}, opens as ${metadata.format}`)
  const pixels = metadata.width * metadata.height
  const limit = metadata.isProgressive ? Math.min(maxPixels, MAX_PROGRESSIVE_PIXELS) : maxPixels
  if (pixels <= limit) return
  const kind = metadata.isProgressive ? 'progressive picture' : 'picture'
  throw appError(
    'image_too_many_pixels',
    `${kind} of ${metadata.width} x ${metadata.height}, at most ${limit} pixels are decoded`
  )
}

function explain(error: unknown, bytes: Uint8Array, format: ImageFormat) {
  const text = messageOf(error)
  if (/pixel limit|dimensions? (exceed|too)|image size exceeds|too large/i.test(text)) {
    return appError('image_too_many_pixels', 'the picture has more pixels than are decoded', {
      cause: error
    })
  }
  if (
    /premature end|unexpected end|truncat|end of (file|stream|data)|not enough/i.test(text) ||
    endsEarly(bytes, format)
  ) {
    return appError('image_truncated', `the ${format} picture ends before its data does`, {
      cause: error
    })
  }
  return appError('image_corrupt', `the ${format} picture cannot be decoded`, { cause: error })
}

function flattened(
  data: Buffer,
  channels: number,
  background: Color | 'auto'
): Pick<DecodedImage, 'rgb' | 'rgba'> {
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (channels === 3) return { rgb: pixels }
  if (channels !== 4) throw new Error(`${channels} channels after conversion to sRGB`)
  const rgb = flattenAlpha(pixels, background === 'auto' ? chooseBackground(pixels) : background)
  return isOpaque(pixels) ? { rgb } : { rgb, rgba: pixels }
}
