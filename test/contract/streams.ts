// Contract: streams are written and read with bounded memory. A failed stream leaves no object.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { bytes, freshPrefix, listedKeys } from './bytes.ts'
import type { StoreUnderTest } from './object-store.contract.ts'

const mebibyte = 1024 * 1024

export function describeStreams(underTest: () => Promise<StoreUnderTest>): void {
  describe('streams', () => {
    it.each([0, 1, 100_000, 8 * mebibyte, 8 * mebibyte + 1, 20 * mebibyte])(
      'writes and reads back %i bytes',
      async (sizeBytes) => {
        const { store } = await underTest()
        const key = `${freshPrefix()}stream`
        const hash = createHash('sha256')
        const source = Readable.from(
          chunks(sizeBytes, (chunk) => hash.update(chunk)),
          { objectMode: false }
        )
        const written = await store.putStream(key, source, { maxBytes: sizeBytes })
        const sha256 = hash.digest('hex')
        expect(written).toEqual({ sizeBytes, sha256 })
        expect(await store.head(key)).toMatchObject({ sizeBytes })
        const back = createHash('sha256')
        for await (const chunk of (await store.getStream(key)) ?? []) back.update(chunk)
        expect(back.digest('hex')).toBe(sha256)
      }
    )

    it.each([10, 9 * mebibyte])(
      'refuses a stream over %i bytes and leaves no object',
      async (maxBytes) => {
        const { store } = await underTest()
        const prefix = freshPrefix()
        const source = Readable.from(chunks(maxBytes + 200_000), { objectMode: false })
        const writing = store.putStream(`${prefix}a`, source, { maxBytes })
        await expect(writing).rejects.toMatchObject({ code: 'too_large' })
        expect(await listedKeys(store, prefix)).toEqual([])
        expect(source.destroyed).toBe(true)
      }
    )

    it.each([1000, 9 * mebibyte])(
      'leaves no object when the source fails after %i bytes, and passes its error on',
      async (sizeBytes) => {
        const { store } = await underTest()
        const prefix = freshPrefix()
        async function* failing() {
          yield* chunks(sizeBytes)
          throw new Error('the client went away')
        }
        const writing = store.putStream(
          `${prefix}a`,
          Readable.from(failing(), { objectMode: false }),
          { maxBytes: 99 * mebibyte }
        )
        await expect(writing).rejects.toThrow('the client went away')
        expect(await listedKeys(store, prefix)).toEqual([])
      }
    )

    it('can be read in part and dropped', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      await store.put(key, new Uint8Array(3 * mebibyte))
      const stream = await store.getStream(key)
      for await (const chunk of stream ?? []) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
      expect(stream?.destroyed).toBe(true)
    })

    it('reads one version to its end while the key is overwritten', async () => {
      const { store } = await underTest()
      const key = `${freshPrefix()}a`
      await store.put(key, new Uint8Array(4 * mebibyte).fill(1))
      const stream = await store.getStream(key)
      await store.put(key, bytes('short'))
      let ones = 0
      for await (const chunk of stream ?? []) for (const byte of chunk as Buffer) ones += byte
      expect(ones).toBe(4 * mebibyte)
    })
  })
}

function* chunks(sizeBytes: number, onChunk: (chunk: Buffer) => void = () => {}) {
  for (let done = 0; done < sizeBytes; done += 70_000) {
    const chunk = Buffer.alloc(Math.min(70_000, sizeBytes - done), (done / 70_000) % 251)
    onChunk(chunk)
    yield chunk
  }
}
