// Contract: which keys are accepted unchanged, and which keys are refused.
import { describe, expect, it } from 'vitest'
import { bytes, freshPrefix, listedKeys, valueOf } from './bytes.ts'
import type { StoreUnderTest } from './object-store.contract.ts'

const odd = [
  '商品/红色 自行车.jpg',
  'with space',
  ' leading',
  'trailing ',
  'a+b&c=d?e#f%20g',
  'tilde~',
  'tilde~=',
  'tilde~~==',
  '=',
  '~',
  '~~/~',
  '123',
  '1e5',
  '0x10',
  'true',
  '.hidden',
  'a..b',
  '...',
  'UPPER',
  'upper',
  'quote"\'<>&amp;',
  'back\\slash',
  'e\u0301',
  '\u00e9',
  '😀',
  'key',
  'format',
  '*!()@$,;:',
  'x'.repeat(254)
]
const refused: [string, string][] = [
  ['an empty key', ''],
  ['a traversal', '../a'],
  ['a traversal inside', 'a/../b'],
  ['a dot segment', 'a/./b'],
  ['an empty segment', 'a//b'],
  ['a leading slash', '/a'],
  ['a trailing slash', 'a/'],
  ['a newline', 'a\nb'],
  ['a zero byte', 'a\0b'],
  ['a delete character', 'a\u007fb'],
  ['half a surrogate pair', 'a\ud800'],
  ['a segment of 255 bytes', 'x'.repeat(255)],
  ['a long segment of few characters', '红'.repeat(85)],
  ['1025 bytes', 'abcd/'.repeat(205).slice(0, 1025)]
]

export function describeKeys(underTest: () => Promise<StoreUnderTest>): void {
  describe('keys', () => {
    it('keeps odd but printable names apart and as they are', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      for (const name of odd) await store.put(prefix + name, bytes(name))
      for (const name of odd) expect(await valueOf(store, prefix + name), name).toBe(name)
      const byBytes = [...odd].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await listedKeys(store, prefix)).toEqual(byBytes)
      await store.delete(odd.map((name) => prefix + name))
      expect(await listedKeys(store, prefix)).toEqual([])
    })

    it('takes a key that is also the prefix of other keys, where the server does', async ({
      skip
    }) => {
      const { store, listsBelowObjects } = await underTest()
      skip(!listsBelowObjects, 'the server does not list a/b while there is an object a')
      const prefix = freshPrefix()
      await store.put(`${prefix}a/b/c`, bytes('abc'))
      await store.put(`${prefix}a`, bytes('a'))
      await store.put(`${prefix}a/b`, bytes('ab'))
      expect(await listedKeys(store, prefix)).toEqual(['a', 'a/b', 'a/b/c'])
      await store.delete([`${prefix}a`])
      expect(await valueOf(store, `${prefix}a/b/c`)).toBe('abc')
      await store.delete([`${prefix}a/b/c`])
      expect(await listedKeys(store, prefix)).toEqual(['a/b'])
    })

    it.each(refused)('refuses %s with invalid_key in every call', async (_, key) => {
      const { store } = await underTest()
      const refusal = { code: 'invalid_key' }
      await expect(store.get(key)).rejects.toMatchObject(refusal)
      await expect(store.getRange(key, 0, 1)).rejects.toMatchObject(refusal)
      await expect(store.getStream(key)).rejects.toMatchObject(refusal)
      await expect(store.head(key)).rejects.toMatchObject(refusal)
      await expect(store.put(key, bytes('x'))).rejects.toMatchObject(refusal)
      await expect(store.putIf(key, bytes('x'), { create: true })).rejects.toMatchObject(refusal)
      await expect(store.delete([key])).rejects.toMatchObject(refusal)
    })

    it('refuses a prefix that leaves the store', async () => {
      const { store } = await underTest()
      for (const prefix of ['../', 'a/../', '/', 'a//b', 'a\0']) {
        await expect(listedKeys(store, prefix), prefix).rejects.toMatchObject({
          code: 'invalid_key'
        })
      }
    })
  })
}
