// Rules for the keys that every adapter accepts, and the byte order in which they are listed.
import { appError } from '@likeness/shared/errors'

const maxKeyBytes = 1024
/**
 * Most bytes of a segment: one below the 255 of file systems, because the directory adapter adds
 * one byte to tell a prefix from an object.
 */
const maxSegmentBytes = 254
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/**
 * Throws `invalid_key` unless the key is `/`-separated, non-empty, printable segments that every
 * file system and S3 server keeps unchanged.
 */
export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > maxKeyBytes)
    throw invalid(key, `is longer than ${maxKeyBytes} bytes`)
  checkCharacters(key)
  for (const segment of key.split('/')) checkSegment(key, segment)
}

/**
 * Does the same as checkKey for the start of a key: '' and an incomplete last segment are allowed.
 */
export function checkPrefix(prefix: string): void {
  if (Buffer.byteLength(prefix) > maxKeyBytes)
    throw invalid(prefix, `is longer than ${maxKeyBytes} bytes`)
  checkCharacters(prefix)
  for (const segment of prefix.split('/').slice(0, -1)) checkSegment(prefix, segment)
}

/**
 * Compares the UTF-8 bytes of the keys, which is the order of S3 lists. JavaScript's own order
 * differs above U+D7FF.
 */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return utf8Rank(left) - utf8Rank(right)
  }
  return a.length - b.length
}

/** Rank of a UTF-16 unit. Surrogate pairs encode code points above every single UTF-16 unit. */
function utf8Rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800
  return unit >= 0xd800 ? unit + 0x2000 : unit
}

function checkCharacters(key: string): void {
  if (controlCharacter.test(key)) throw invalid(key, 'has a control character')
  if (/\p{Surrogate}/u.test(key)) throw invalid(key, 'is not valid Unicode')
}

function checkSegment(key: string, segment: string): void {
  if (segment === '') throw invalid(key, 'has an empty segment')
  if (segment === '.' || segment === '..') throw invalid(key, `has a segment "${segment}"`)
  if (Buffer.byteLength(segment) > maxSegmentBytes)
    throw invalid(key, `has a segment longer than ${maxSegmentBytes} bytes`)
}

function invalid(key: string, why: string) {
  return appError('invalid_key', `The key ${JSON.stringify(key.slice(0, 100))} ${why}.`)
}
