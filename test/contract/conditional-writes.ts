// Contract: a conditional write happens exactly when its condition holds.
import { describe, expect, it } from 'vitest'
import { bytes, freshPrefix, valueOf } from './bytes.ts'
import type { StoreUnderTest } from './object-store.contract.ts'

export function describeConditionalWrites(underTest: () => Promise<StoreUnderTest>): void {
  describe('conditional writes', () => {
    it('creates a key once', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      expect(await store.putIf(key, bytes('one'), { create: true })).toMatchObject({
        etag: expect.any(String)
      })
      expect(await store.putIf(key, bytes('two'), { create: true })).toBeUndefined()
      expect(await valueOf(store, key)).toBe('one')
    })

    it('replaces what has the etag, and nothing else', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const first = await store.put(key, bytes('one'))
      const second = await store.putIf(key, bytes('two'), { ifMatch: first.etag })
      expect(second?.etag).toBe((await store.get(key))?.etag)
      expect(await store.putIf(key, bytes('three'), { ifMatch: first.etag })).toBeUndefined()
      expect(await valueOf(store, key)).toBe('two')
    })

    it('does not replace a key that does not exist', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const { etag } = await store.put(key, bytes('one'))
      await store.delete([key])
      expect(await store.putIf(key, bytes('two'), { ifMatch: etag })).toBeUndefined()
      expect(await store.putIf(`${key}-never`, bytes('two'), { ifMatch: etag })).toBeUndefined()
      expect(await store.get(key)).toBeUndefined()
    })

    it('starts afresh after a delete: old values stay gone and old etags stay stale', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      let etag = (await store.putIf(key, bytes('0'), { create: true }))?.etag ?? ''
      const old = [etag]
      for (let i = 1; i <= 5; i++) {
        etag = (await store.putIf(key, bytes(`${i}`), { ifMatch: etag }))?.etag ?? ''
        old.push(etag)
      }
      await store.delete([key])
      expect(await store.get(key)).toBeUndefined()
      expect(await store.putIf(key, bytes('new'), { create: true })).toBeDefined()
      for (const stale of old)
        expect(await store.putIf(key, bytes('late'), { ifMatch: stale })).toBeUndefined()
      expect(await valueOf(store, key)).toBe('new')
    })

    it('lets an unconditional write end a chain of conditional ones', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const first = await store.putIf(key, bytes('one'), { create: true })
      const second = await store.putIf(key, bytes('two'), { ifMatch: first?.etag ?? '' })
      const third = await store.put(key, bytes('three'))
      expect(await store.putIf(key, bytes('late'), { ifMatch: second?.etag ?? '' })).toBeUndefined()
      expect(await store.putIf(key, bytes('four'), { ifMatch: third.etag })).toBeDefined()
      expect(await valueOf(store, key)).toBe('four')
      expect((await store.head(key))?.sizeBytes).toBe(4)
    })

    it('follows a long chain through every way of reading', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      let etag = (await store.putIf(key, bytes('0'), { create: true }))?.etag ?? ''
      for (let i = 1; i <= 100; i++) {
        const won = await store.putIf(key, bytes(`value ${i}`), { ifMatch: etag })
        expect(won, `write ${i}`).toBeDefined()
        etag = won?.etag ?? ''
      }
      expect(await store.head(key)).toMatchObject({ etag, sizeBytes: 9 })
      expect(new TextDecoder().decode(await store.getRange(key, 6, 3))).toBe('100')
    })

    it('has one winner when many create or replace at once', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      const created = await Promise.all(
        everyone((i) => store.putIf(key, bytes(`created ${i}`), { create: true }))
      )
      expect(created.filter(Boolean)).toHaveLength(1)
      for (let round = 0; round < 10; round++) {
        const etag = (await store.get(key))?.etag ?? ''
        const replaced = await Promise.all(
          everyone((i) => store.putIf(key, bytes(`${round} ${i}`), { ifMatch: etag }))
        )
        expect(replaced.filter(Boolean)).toHaveLength(1)
        const winner = replaced.findIndex(Boolean)
        expect(await store.get(key)).toMatchObject({ etag: replaced[winner]?.etag })
        expect(await valueOf(store, key)).toBe(`${round} ${winner}`)
      }
    })

    it('refuses a conditional body over 5 MiB', async () => {
      const { store } = await underTest()
      const body = new Uint8Array(5 * 1024 * 1024 + 1)
      const put = store.putIf(`${freshPrefix()}a`, body, { create: true })
      await expect(put).rejects.toMatchObject({ code: 'too_large' })
    })
  })
}

function everyone<T>(run: (i: number) => Promise<T>): Promise<T>[] {
  return Array.from({ length: 12 }, (_, i) => run(i))
}
