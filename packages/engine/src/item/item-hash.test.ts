import { expect, test } from 'vitest'
import { sha256Of } from '@likeness/shared/data/sha256'
import { hashName, itemHash } from './item-hash.ts'

test('the hash of an id is the first half of the sha256 of its UTF-8, whatever is in it', () => {
  for (const id of [
    '',
    'a',
    'ü/茶',
    '\u{1f600}',
    '\ud800',
    'x\ud800\udbff',
    'y'.repeat(5000),
    '\0'
  ]) {
    const hash = itemHash(id)
    expect(hash.equals(sha256Of(id).subarray(0, 16))).toBe(true)
    expect(Buffer.from(hashName(hash), 'latin1').equals(hash)).toBe(true)
  }
})
