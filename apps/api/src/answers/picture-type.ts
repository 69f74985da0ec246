// Finds the media type of a picture in an answer from the first bytes. Only types that a browser
// shows and never runs have a media type.
import { type ImageFormat, sniffImageFormat } from '@likeness/shared/data/image-format'

/** Browsers do not show TIFF. */
const mediaTypes: Record<Exclude<ImageFormat, 'tiff'>, string> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  avif: 'image/avif'
}

/**
 * `head`: at least 16 bytes where the file has them. undefined: the picture is not safe to show.
 */
export function mediaTypeOf(head: Uint8Array): string | undefined {
  const format = sniffImageFormat(head)
  return format === undefined || format === 'tiff' ? undefined : mediaTypes[format]
}
