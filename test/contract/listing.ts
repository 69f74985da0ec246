// Contract: keys are listed in byte order, from any start, while other processes write.
import { describe, expect, it } from 'vitest'
import { bytes, freshPrefix, listed, listedKeys } from './bytes.ts'
import type { StoreUnderTest } from './object-store.contract.ts'

const names = [
  'a-b',
  'a.b',
  'a/b',
  'a/bb/c',
  'a/c',
  'a0',
  'ab',
  'b/1/2/3',
  'b/10',
  'b/2',
  'Z',
  'z',
  '\u{1f600}',
  '\uffee',
  'é'
]
const inOrder = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

export function describeListing(underTest: () => Promise<StoreUnderTest>): void {
  describe('listing', () => {
    it('lists in the byte order of the whole key, with facts', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      for (const name of names) await store.put(prefix + name, bytes(name))
      expect(await listedKeys(store, prefix)).toEqual(inOrder)
      for (const info of await listed(store, prefix))
        expect(info).toEqual(await sameInfo(info, store.head(info.key)))
    })

    it('lists below a prefix that ends anywhere', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      for (const name of names) await store.put(prefix + name, bytes(name))
      for (const part of ['a', 'a/', 'a/b', 'b/', 'b/1', 'b/1/', 'none', 'a-']) {
        const expected = inOrder.filter((name) => name.startsWith(part))
        expect(
          (await listedKeys(store, prefix + part)).map((rest) => part + rest),
          part
        ).toEqual(expected)
      }
    })

    it('starts strictly after any key, whether it exists or not', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      for (const name of names) await store.put(prefix + name, bytes(name))
      for (const after of [...names, '', 'a/', 'a/a', 'a/b0', 'b', 'b/1/3', 'zz', '\u{1f601}']) {
        const expected = inOrder.filter(
          (name) => Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0
        )
        expect(await listedKeys(store, prefix, prefix + after), after).toEqual(expected)
      }
      expect(await listedKeys(store, `${prefix}a/`, `${prefix}Z`)).toEqual(['b', 'bb/c', 'c'])
    })

    it('ends before any key, whether it exists or not', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      for (const name of names) await store.put(prefix + name, bytes(name))
      for (const end of [...names, '', 'a/', 'a/a', 'a/b0', 'b', 'b/', 'b/1/3', 'zz']) {
        const expected = inOrder.filter(
          (name) => Buffer.compare(Buffer.from(name), Buffer.from(end)) < 0
        )
        const found: string[] = []
        for await (const { key } of store.list(prefix, { before: prefix + end }))
          found.push(key.slice(prefix.length))
        expect(found, end).toEqual(expected)
      }
    })

    it('lists more keys than one page holds', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      const many = Array.from({ length: 1100 }, (_, i) => `n${String(i).padStart(5, '0')}`)
      for (let i = 0; i < many.length; i += 50) {
        await Promise.all(many.slice(i, i + 50).map((name) => store.put(prefix + name, bytes('x'))))
      }
      expect(await listedKeys(store, prefix)).toEqual(many)
      expect(await listedKeys(store, prefix, `${prefix}n01050`)).toEqual(many.slice(1051))
    })

    it('gives every untouched key exactly once while others come and go', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      const stable = Array.from(
        { length: 150 },
        (_, i) => `d${i % 5}/s${String(i).padStart(4, '0')}`
      ).sort()
      for (const name of stable) await store.put(prefix + name, bytes('x'))
      let stop = false
      const churn = (async () => {
        for (let i = 0; !stop; i++) {
          await store.put(`${prefix}d${i % 7}/churn${i % 11}`, bytes(`${i}`))
          await store.delete([`${prefix}d${(i + 3) % 7}/churn${(i + 5) % 11}`])
        }
      })()
      for (let round = 0; round < 5; round++) {
        const seen = await listedKeys(store, prefix)
        expect(seen.filter((name) => !name.includes('churn'))).toEqual(stable)
        expect(new Set(seen).size).toBe(seen.length)
      }
      stop = true
      await churn
    })

    it('can be left in the middle', async () => {
      const { store } = await underTest()
      const prefix = freshPrefix()
      for (const name of names) await store.put(prefix + name, bytes(name))
      for await (const info of store.list(prefix)) {
        expect(info.key).toBe(prefix + inOrder[0])
        break
      }
    })
  })
}

/**
 * S3 returns the time of an object in whole seconds in one answer and in milliseconds in the other.
 */
async function sameInfo(info: { lastModifiedMs: number }, head: Promise<object | undefined>) {
  const found = { ...(await head) } as { lastModifiedMs: number }
  expect(Math.abs(found.lastModifiedMs - info.lastModifiedMs)).toBeLessThan(1000)
  return { ...found, lastModifiedMs: info.lastModifiedMs }
}
