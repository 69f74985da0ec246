// Decodes untrusted bytes to upright 8-bit sRGB pixels, within limits of memory and time. The only
// place where sharp reads untrusted bytes.
import sharp, { type Metadata, type Sharp } from 'sharp'
import { beyondLimit, maxImageSide, maxJpegScans } from '@likeness/shared/contract/limits'
import { sniffForeignFormat } from '@likeness/shared/data/foreign-format'
import { endsEarly, type ImageFormat, sniffImageFormat } from '@likeness/shared/data/image-format'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import { countScans } from './jpeg-scans.ts'
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

/** A picture whose header was read. No pixel is decoded yet. */
export interface OpenedImage {
  /** Most bytes that the decoder and the decoded picture hold together. */
  heldBytes: number
  /** Call it once. Rejects with `image_truncated`, `image_corrupt`, `image_unsupported`. */
  decode: () => Promise<DecodedImage>
}

const DEFAULT_MAX_PIXELS = 5e7
const TIMEOUT_S = 60
/** Characters of a decoder's message that are repeated. */
const mostReason = 200
/** Bytes of a pixel: `rgb`, and `rgba` where the picture has transparency. */
const outputBytes = { opaque: 3, transparent: 7 }
/** Bytes of a sample in the decoder, by its type. Other types have no fixed range of values. */
const sampleBytes: Partial<Record<string, number>> = { uchar: 1, ushort: 2 }
/** A progressive JPEG is held whole as coefficients of 16 bits. */
const coefficientBytes = 2
/** Formats whose decoders hold the whole picture. Others are read line by line. */
const heldWhole: readonly ImageFormat[] = ['webp', 'gif', 'avif']

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
export const decodeImage = async (
  bytes: Uint8Array,
  options: DecodeOptions = {}
): Promise<DecodedImage> => (await openImage(bytes, options)).decode()

/**
 * Reads the header. Rejects with `image_empty`, `image_unsupported`, `image_too_many_pixels`,
 * `image_truncated` and `image_corrupt`.
 */
export async function openImage(
  bytes: Uint8Array,
  { maxPixels = DEFAULT_MAX_PIXELS, background = 'auto' }: DecodeOptions = {}
): Promise<OpenedImage> {
  hardenSharp()
  const format = formatOf(bytes)
  // `error`: many cameras write files with which libjpeg finds harmless faults, and warns.
  const input = sharp(bytes, { limitInputPixels: maxPixels, pages: 1, failOn: 'error' })
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw isAppError(error) ? error : explain(error, bytes, format)
    }
  }
  const metadata = await explained(async () => {
    const read = await input.metadata()
    checkKind(read, format)
    checkSize(read, maxPixels)
    if (format === 'jpeg' && read.isProgressive) checkScans(bytes)
    return read
  })
  return {
    heldBytes: metadata.width * metadata.height * bytesPerPixel(metadata, format),
    decode: () => explained(() => decodePixels(input, background))
  }
}

async function decodePixels(input: Sharp, background: Color | 'auto'): Promise<DecodedImage> {
  const { data, info } = await input
    .autoOrient()
    .toColourspace('srgb')
    .timeout({ seconds: TIMEOUT_S })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return {
    ...flattened(data, info.channels, background),
    width: info.width,
    height: info.height
  }
}

/** image_empty, image_unsupported. */
function formatOf(bytes: Uint8Array): ImageFormat {
  if (!bytes.byteLength) throw appError('image_empty', 'the file has no bytes')
  const format = sniffImageFormat(bytes)
  // Camera RAW files are in the form of a TIFF.
  const foreign = format === undefined || format === 'tiff' ? sniffForeignFormat(bytes) : undefined
  if (foreign !== undefined)
    throw appError(
      'image_unsupported',
      `this is ${foreign.name}, and JPEG, PNG, WebP, GIF, TIFF and AVIF pictures are read: ${foreign.advice}`
    )
  if (format === undefined)
    throw appError(
      'image_unsupported',
      'not a JPEG, PNG, WebP, GIF, TIFF or AVIF picture, and no other known format'
    )
  return format
}

function checkKind({ format: opened, depth }: Metadata, format: ImageFormat): void {
  if (opened !== (format === 'avif' ? 'heif' : format))
    throw appError('image_unsupported', `looks like ${format}, opens as ${opened}`)
  if (sampleBytes[depth] === undefined)
    throw appError(
      'image_unsupported',
      `the ${format} picture has values of the type ${depth}, and pictures of 8 or 16 bits are read: convert it first`
    )
}

function checkSize({ width, height }: Metadata, maxPixels: number): void {
  const side = Math.max(width, height)
  if (side > maxImageSide) throw beyondLimit('maxImageSide', side)
  if (width * height > maxPixels)
    throw appError(
      'image_too_many_pixels',
      `a picture of ${width} x ${height}: at most ${maxPixels} pixels are decoded (MAX_IMAGE_PIXELS)`
    )
}

function checkScans(bytes: Uint8Array): void {
  const scans = countScans(bytes)
  if (scans > maxJpegScans) throw beyondLimit('maxJpegScans', scans)
}

function bytesPerPixel(
  { hasAlpha, isProgressive, channels, depth, orientation = 1 }: Metadata,
  format: ImageFormat
): number {
  const output = hasAlpha ? outputBytes.transparent : outputBytes.opaque
  const pixel = channels * (sampleBytes[depth] ?? 1)
  const progressive = format === 'jpeg' ? channels * coefficientBytes : pixel
  const isWhole = heldWhole.includes(format)
  return (
    output +
    (isProgressive ? progressive : 0) +
    (isWhole ? pixel : 0) +
    (orientation > 1 ? pixel : 0)
  )
}

function explain(error: unknown, bytes: Uint8Array, format: ImageFormat) {
  const text = messageOf(error)
  const reason = text.trim().split('\n')[0]!.replace(/:\s*$/, '').slice(0, mostReason)
  if (/pixel limit|dimensions? (exceed|too)|image size exceeds|too large/i.test(text)) {
    return appError(
      'image_too_many_pixels',
      `the picture has more pixels than are decoded: ${reason}`,
      { cause: error }
    )
  }
  if (
    /premature end|unexpected end|truncat|end of (file|stream|data)|not enough/i.test(text) ||
    endsEarly(bytes, format)
  ) {
    return appError('image_truncated', `the ${format} picture ends before its data does`, {
      cause: error
    })
  }
  if (/unsupported(?! image format)|not supported|not implemented|channel limit/i.test(text))
    return appError(
      'image_unsupported',
      `a kind of ${format} picture that is not read (${reason}): save it as an ordinary JPEG or PNG first`,
      { cause: error }
    )
  return appError('image_corrupt', `the ${format} picture cannot be decoded: ${reason}`, {
    cause: error
  })
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
