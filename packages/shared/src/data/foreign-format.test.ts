import { expect, test } from 'vitest'
import { sniffForeignFormat } from './foreign-format.ts'

const nameOf = (bytes: string | Uint8Array): string | undefined =>
  sniffForeignFormat(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)?.name

/** A little-endian TIFF with one directory: tag to value. */
function tiff(entries: Record<number, number>): Uint8Array {
  const tags = Object.entries(entries)
  const bytes = Buffer.alloc(10 + 12 * tags.length + 4)
  bytes.write('II*\0', 0, 'latin1')
  bytes.writeUInt32LE(8, 4)
  bytes.writeUInt16LE(tags.length, 8)
  tags.forEach(([tag, value], i) => {
    bytes.writeUInt16LE(Number(tag), 10 + 12 * i)
    bytes.writeUInt16LE(4, 12 + 12 * i)
    bytes.writeUInt32LE(1, 14 + 12 * i)
    bytes.writeUInt32LE(value, 18 + 12 * i)
  })
  return bytes
}

test.each<[string, string | Uint8Array]>([
  ['a HEIC/HEIF picture', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
  ['a HEIC/HEIF picture', '\0\0\0\x18ftypmif1\0\0\0\0mif1heic'],
  ['a HEIC/HEIF picture', '\0\0\0\x1cftypmiaf\0\0\0\0MiHBheix'],
  ['a HEIC/HEIF picture', '\0\0\0\x18ftypheic'],
  ['a BMP picture', 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0'],
  ['a JPEG XL picture', '\xff\x0a\xfa\x1f'],
  ['a JPEG XL picture', '\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl '],
  ['a JPEG 2000 picture', '\0\0\0\x0cjP  \r\n\x87\n'],
  ['a Photoshop document', '8BPS\0\x01'],
  ['a camera RAW picture', 'II*\0\x10\0\0\0CR\x02\0'],
  ['a camera RAW picture', '\0\0\0\x18ftypcrx \0\0\0\x01'],
  ['a camera RAW picture', 'FUJIFILMCCD-RAW 0201'],
  ['a camera RAW picture', tiff({ 0x00fe: 1, 0x014a: 300 })],
  ['a camera RAW picture', tiff({ 0x00fe: 0, 0xc612: 0x0401 })],
  ['a PDF document', '%PDF-1.7\n'],
  ['an SVG drawing', '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="a">'],
  ['an SVG drawing', '<svg width="9"/>'],
  ['a video', '\0\0\0\x18ftypmp42\0\0\0\0'],
  ['a video', 'RIFF\x24\0\0\0AVI LIST'],
  ['a video', '\x1aE\xdf\xa3\x01'],
  ['a ZIP archive', 'PK\x03\x04\x14\0'],
  ['a compressed file', '\x1f\x8b\x08'],
  ['a web page', '<!DOCTYPE html>\n<html>'],
  ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\n'],
  ['a picture that was encoded as base64 text', '/9j/4AAQSkZJRg'],
  ['a picture that was encoded as base64 text', 'data:image/png;base64,iVBOR'],
  ['a text file', '{"error":"not found"}'],
  ['a text file', 'BMW and others']
])('%s is known by its first bytes', (name, bytes) => {
  expect(nameOf(bytes)).toBe(name)
  expect(sniffForeignFormat(Buffer.from(bytes as string, 'latin1'))?.advice).not.toBe('')
})

test('formats that are decoded here, and bytes without a meaning, have no such name', () => {
  for (const bytes of [
    '\xff\xd8\xff\xe0\0\x10JFIF',
    '\x89PNG\r\n\x1a\n',
    'RIFF\x24\0\0\0WEBPVP8 ',
    'GIF89a\x01\0',
    '\0\0\0\x1cftypavif\0\0\0\0',
    '',
    '\x01\x02\x03\x04'
  ])
    expect(nameOf(bytes)).toBeUndefined()
  // A pyramid: the first directory is the picture itself.
  expect(nameOf(tiff({ 0x00fe: 0, 0x014a: 300 }))).toBeUndefined()
})
