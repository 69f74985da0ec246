// Contract: written objects are read back, whole and in ranges, with their facts. A missing object
// is undefined.
import { describe, expect, it } from 'vitest'
import { bytes, freshPrefix, listedKeys, text, valueOf } from './bytes.ts'
import type { StoreUnderTest } from './object-store.contract.ts'

export function describeReading(underTest: () => Promise<StoreUnderTest>): void {
  describe('reading and writing', () => {
    it('gives back the bytes and the etag of the write', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const { etag } = await store.put(key, bytes('one'))
      expect(await store.get(key)).toMatchObject({ etag })
      expect(await valueOf(store, key)).toBe('one')
    })

    it('takes an empty body', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}empty`
      await store.put(key, new Uint8Array())
      expect((await store.get(key))?.body.byteLength).toBe(0)
      expect((await store.head(key))?.sizeBytes).toBe(0)
    })

    it('keeps the bytes of a body that is larger than one network packet', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}large`
      const body = Uint8Array.from({ length: 3_000_001 }, (_, i) => (i * 7919) % 251)
      await store.put(key, body)
      expect(Buffer.from((await store.get(key))?.body ?? []).equals(body)).toBe(true)
    })

    it('lets the last unconditional write win and changes the etag', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const first = await store.put(key, bytes('one'))
      const second = await store.put(key, bytes('two'))
      expect(second.etag).not.toBe(first.etag)
      expect(await valueOf(store, key)).toBe('two')
    })

    it('gives every write its own etag, also of the same bytes, where it promises to', async () => {
      const { store, uniqueEtags } = await underTest()
      const key = `${freshPrefix()}a`
      const first = await store.put(key, bytes('same'))
      const second = await store.put(key, bytes('same'))
      expect(first.etag !== second.etag).toBe(uniqueEtags)
    })

    it('does not share memory with the caller', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const body = bytes('one')
      await store.put(key, body)
      body.fill(0)
      ;(await store.get(key))?.body.fill(0)
      expect(await valueOf(store, key)).toBe('one')
    })

    it('answers undefined for a key that does not exist', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}missing`
      expect(await store.get(key)).toBeUndefined()
      expect(await store.head(key)).toBeUndefined()
      expect(await store.getRange(key, 0, 1)).toBeUndefined()
      expect(await store.getStream(key)).toBeUndefined()
    })

    it('tells size, etag and time in head', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const before = Date.now()
      const { etag } = await store.put(key, bytes('12345'))
      const info = await store.head(key)
      expect(info).toMatchObject({ key, sizeBytes: 5, etag })
      if (store.kind !== 'memory')
        expect(Math.abs((info?.lastModifiedMs ?? 0) - before)).toBeLessThan(10_000)
    })

    it('reads ranges, cut short at the end and empty past it', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      await store.put(key, bytes('0123456789'))
      const range = async (offset: number, length: number) =>
        text(await store.getRange(key, offset, length))
      expect(await range(0, 4)).toBe('0123')
      expect(await range(3, 4)).toBe('3456')
      expect(await range(8, 100)).toBe('89')
      expect(await range(10, 5)).toBe('')
      expect(await range(99, 5)).toBe('')
      expect(await range(3, 0)).toBe('')
      await expect(store.getRange(key, -1, 5)).rejects.toMatchObject({ code: 'invalid_request' })
    })

    it('reads ranges of an empty object', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      await store.put(key, new Uint8Array())
      expect(text(await store.getRange(key, 0, 10))).toBe('')
    })

    it('deletes many keys at once and does not mind missing ones', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      const keys = Array.from({ length: 30 }, (_, i) => `${prefix}${i % 3}/${i}`)
      await Promise.all(keys.slice(0, 20).map((key) => store.put(key, bytes('x'))))
      await store.put(`${prefix}keep`, bytes('x'))
      await store.delete(keys)
      await store.delete([])
      expect(await listedKeys(store, prefix)).toEqual(['keep'])
    })
  })
}
