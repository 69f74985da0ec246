// Counts the scans of a JPEG. The decoder walks over the whole picture once for each scan, and a
// scan may have a few bytes.

const START_OF_SCAN = 0xda
const END_OF_IMAGE = 0xd9
/** Restart markers, and the zero after a 0xff of the data. */
const isData = (next: number): boolean => next === 0 || (next >= 0xd0 && next <= 0xd7)

/** Fill bytes and data have no length of their own; other markers begin a segment that has one. */
function lengthOf(file: Buffer, at: number, marker: number): number {
  if (marker === 0xff) return 1
  return isData(marker) || at + 4 > file.length ? 2 : 2 + file.readUInt16BE(at + 2)
}

/** Scans of the picture itself: not those of a thumbnail in it, or of a picture behind it. */
export function countScans(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let scans = 0
  for (let at = file.indexOf(0xff, 2); at >= 0 && at + 1 < file.length; ) {
    const marker = file[at + 1]!
    if (marker === END_OF_IMAGE) return scans
    if (marker === START_OF_SCAN) scans += 1
    at = file.indexOf(0xff, at + lengthOf(file, at, marker))
  }
  return scans
}
