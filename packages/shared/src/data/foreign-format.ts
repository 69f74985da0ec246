// Recognises files that are not decoded here, from their first bytes: other picture formats, and
// files that are often sent in the place of a picture. Says what they are, and what to do.

export interface ForeignFormat {
  /** With its article, for a sentence: `a HEIC picture`. */
  name: string
  /** The action that helps. */
  advice: string
}

const convert = 'convert it to JPEG, PNG or WebP first'
const picture = (name: string, advice = convert): ForeignFormat => ({ name, advice })
const video: ForeignFormat = {
  name: 'a video',
  advice: 'take single pictures out of it first, for example with `ffmpeg -i FILE -r 1 %05d.jpg`'
}
const notPicture = (name: string, advice = 'send the picture itself'): ForeignFormat => ({
  name,
  advice
})

const heif = picture(
  'a HEIC/HEIF picture',
  'convert it to JPEG first, for example with `heif-convert FILE.heic FILE.jpg`; an iPhone makes JPEG with Settings > Camera > Formats > Most Compatible'
)
const raw = picture(
  'a camera RAW picture',
  'develop it to JPEG first, or send the JPEG that the camera made beside it'
)
const jpegXl = picture(
  'a JPEG XL picture',
  `${convert}, for example with \`djxl FILE.jxl FILE.jpg\``
)
const jpeg2000 = picture('a JPEG 2000 picture')
const pdf = picture(
  'a PDF document',
  'render its pages to PNG first, for example with `pdftoppm -png FILE.pdf page`'
)
const svg = picture('an SVG drawing', 'render it to PNG first, at the size you need')
const encoded = notPicture(
  'a picture that was encoded as base64 text',
  'send the decoded bytes, not the text'
)
const archive = notPicture('a ZIP archive', 'unpack it, and send the pictures in it')
const compressed = notPicture('a compressed file', 'unpack it first')
const webPage = notPicture(
  'a web page',
  'the download may have failed: open the address in a browser'
)
const gitLfs = notPicture('a pointer of Git LFS', 'run `git lfs pull`, and send the picture itself')

/** Tried on the first kilobyte, read as latin1. */
const signatures: readonly [RegExp, ForeignFormat][] = [
  [/^BM.{4}\0{4}/s, picture('a BMP picture')],
  [/^8BPS/, picture('a Photoshop document', 'export it as PNG or JPEG first')],
  [/^(\xff\n|\0\0\0\fJXL \r\n\x87\n)/, jpegXl],
  [/^(\0\0\0\fjP {2}\r\n\x87\n|\xff\x4f\xff\x51)/, jpeg2000],
  [/^(IIU\0|IIRO|IIRS|MMOR|FUJIFILMCCD-RAW|FOVb|\0MRM)/, raw],
  [/^\0\0[\x01\x02]\0/, picture('an icon file')],
  [/^v\/1\x01/, picture('an OpenEXR picture')],
  [/^#\?(RADIANCE|RGBE)/, picture('a Radiance HDR picture')],
  [/^qoif/, picture('a QOI picture')],
  [/^DDS /, picture('a DDS texture')],
  [/^SIMPLE {2}=/, picture('a FITS picture')],
  [/^\n[\x02-\x05]\x01/, picture('a PCX picture')],
  [/^P[1-7]\s/, picture('a PNM picture')],
  [/^gimp xcf/, picture('a GIMP document', 'export it as PNG or JPEG first')],
  [/^.{128}DICM/s, picture('a DICOM file', 'export its picture as PNG first')],
  [/^%PDF/, pdf],
  [/^(%!PS|\xc5\xd0\xd3\xc6)/, picture('a PostScript file', 'render it to PNG first')],
  [/^\xd7\xcd\xc6\x9a/, picture('a Windows metafile', 'render it to PNG first')],
  [/^(\x1aE\xdf\xa3|OggS|\0\0\x01[\xba\xb3]|FLV\x01|RIFF.{4}AVI )/s, video],
  [/^PK(\x03\x04|\x05\x06)/, archive],
  [/^(\x1f\x8b|BZh|7z\xbc\xaf|Rar!|\xfd7zXZ|\(\xb5\/\xfd)/, compressed],
  [/^version https:\/\/git-lfs/, gitLfs],
  [/^(\/9j\/|iVBORw0KGgo|R0lGOD[lh]|UklGR|data:image\/)/, encoded]
]

const brands: readonly [readonly string[], ForeignFormat][] = [
  [['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs', 'mif1', 'msf1'], heif],
  [['crx '], raw],
  [['jxl '], jpegXl],
  [['jp2 ', 'jpx '], jpeg2000]
]

/** Returns undefined for the formats that are decoded here, and for unknown bytes. */
export function sniffForeignFormat(bytes: Uint8Array): ForeignFormat | undefined {
  const head = latin1(bytes, 0, 1024)
  const signature = signatures.find(([pattern]) => pattern.test(head))
  if (signature !== undefined) return signature[1]
  if (head.startsWith('ftyp', 4)) return ofBrands(brandsOf(bytes, head))
  if (/^(II|MM)/.test(head) && isRawTiff(bytes)) return raw
  return ofText(head)
}

/** Brands of a file of boxes: the main one, and those that it is compatible with. */
function brandsOf(bytes: Uint8Array, head: string): string[] {
  const end = Math.min(Buffer.from(bytes.subarray(0, 4)).readUInt32BE(), 256)
  const found = [head.slice(8, 12)]
  for (let at = 16; at + 4 <= end; at += 4) found.push(head.slice(at, at + 4))
  return found
}

function ofBrands(found: readonly string[]): ForeignFormat | undefined {
  if (found.some((brand) => brand === 'avif' || brand === 'avis')) return undefined
  return brands.find(([known]) => found.some((brand) => known.includes(brand)))?.[1] ?? video
}

function ofText(head: string): ForeignFormat | undefined {
  const text = head.replace(/^\xef\xbb\xbf/, '').trimStart()
  if (/^(<\?xml|<!--|<!doctype svg|<svg)/i.test(text) && /<svg[\s>]/i.test(text)) return svg
  if (/^(<!doctype html|<html|<head)/i.test(text)) return webPage
  // A control character other than white space does not stand in text.
  return text === '' || /[\0-\x08\x0e-\x1f\x7f]/.test(text) ? undefined : notPicture('a text file')
}

const tags = { newSubfileType: 0x00fe, subIfds: 0x014a, dngVersion: 0xc612 }
const mostEntries = 512

/**
 * A RAW file in the form of a TIFF. Its first directory holds a small preview; the picture itself
 * lies in a form that only a RAW converter reads.
 */
function isRawTiff(bytes: Uint8Array): boolean {
  if (latin1(bytes, 8, 2) === 'CR') return true
  const little = bytes[0] === 0x49
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isClassic = bytes.length >= 8 && view.getUint16(2, little) === 42
  const start = isClassic ? view.getUint32(4, little) : bytes.length
  if (start + 2 > bytes.length) return false
  const found = new Map<number, number>()
  const count = Math.min(view.getUint16(start, little), mostEntries)
  for (let i = 0; i < count; i++) {
    const at = start + 2 + 12 * i
    if (at + 12 > bytes.length) break
    found.set(view.getUint16(at, little), view.getUint32(at + 8, little))
  }
  const isPreview = ((found.get(tags.newSubfileType) ?? 0) & 1) === 1
  return found.has(tags.dngVersion) || (isPreview && found.has(tags.subIfds))
}

const latin1 = (bytes: Uint8Array, from: number, length: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .subarray(from, from + length)
    .toString('latin1')
