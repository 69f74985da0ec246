// Detects the format of a file from the first bytes, before any decoder, and checks whether the
// file ends where the format says.

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif'

/** Returns undefined for every format that is not decoded here, for any file name. */
export function sniffImageFormat(bytes: Uint8Array): ImageFormat | undefined {
  const at = (offset: number, text: string) => ascii(bytes, offset, text.length) === text
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'jpeg'
  if (bytes[0] === 0x89 && at(1, 'PNG\r\n\x1a\n')) return 'png'
  if (at(0, 'RIFF') && at(8, 'WEBP')) return 'webp'
  if (at(0, 'GIF87a') || at(0, 'GIF89a')) return 'gif'
  if (at(0, 'II*\0') || at(0, 'MM\0*') || at(0, 'II+\0') || at(0, 'MM\0+')) return 'tiff'
  return at(4, 'ftyp') && isAvif(bytes) ? 'avif' : undefined
}

function isAvif(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, uint32(bytes, 0), 256)
  for (let offset = 8; offset + 4 <= length; offset += 4) {
    const brand = ascii(bytes, offset, 4)
    if (offset !== 12 && (brand === 'avif' || brand === 'avis')) return true
  }
  return false
}

/**
 * Returns whether bytes are missing at the end. Called only after a decoder has failed. A picture
 * is never refused for this reason alone.
 */
export function endsEarly(bytes: Uint8Array, format: ImageFormat): boolean {
  switch (format) {
    case 'jpeg':
      return !tailHas(bytes, [0xff, 0xd9], 64)
    case 'png':
      return !tailHas(bytes, [0x49, 0x45, 0x4e, 0x44], 64)
    case 'webp':
      return uint32LittleEndian(bytes, 4) + 8 > bytes.length
    case 'gif':
      return bytes[bytes.length - 1] !== 0x3b
    case 'tiff':
      return directoryEnd(bytes) > bytes.length
    case 'avif':
      return boxesOverrun(bytes)
  }
}

function tailHas(bytes: Uint8Array, wanted: readonly number[], within: number): boolean {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-within)
  return tail.includes(Buffer.from(wanted))
}

/** Bytes of a value, by its TIFF type. */
const tiffTypeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8]

/**
 * Writers put the directory, and the values that do not fit into it, after the pixels. So they are
 * missing in a cut file.
 */
function directoryEnd(bytes: Uint8Array): number {
  const littleEndian = bytes[0] === 0x49
  const start = littleEndian ? uint32LittleEndian(bytes, 4) : uint32(bytes, 4)
  if (start + 2 > bytes.length) return start + 2
  const file = view(bytes)
  const entries = file.getUint16(start, littleEndian)
  let end = start + 2 + 12 * entries
  for (let at = start + 2; at + 12 <= bytes.length && at < start + 2 + 12 * entries; at += 12) {
    const each = tiffTypeBytes[file.getUint16(at + 2, littleEndian)] ?? 0
    const sizeBytes = each * file.getUint32(at + 4, littleEndian)
    if (sizeBytes > 4) end = Math.max(end, file.getUint32(at + 8, littleEndian) + sizeBytes)
  }
  return end
}

function boxesOverrun(bytes: Uint8Array): boolean {
  let offset = 0
  while (offset + 8 <= bytes.length) {
    const size = uint32(bytes, offset)
    if (size < 8) return false
    offset += size
  }
  return offset !== bytes.length
}

const ascii = (bytes: Uint8Array, offset: number, length: number) =>
  String.fromCharCode(...bytes.subarray(offset, offset + length))
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const uint32 = (bytes: Uint8Array, offset: number) =>
  offset + 4 <= bytes.length ? view(bytes).getUint32(offset) : 0
const uint32LittleEndian = (bytes: Uint8Array, offset: number) =>
  offset + 4 <= bytes.length ? view(bytes).getUint32(offset, true) : 0
