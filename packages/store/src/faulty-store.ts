// An object store with faults of real stores, drawn from a seed: slow answers, failures before and
// after the write, and writes that land long after their error. For simulations over a store
// without faults.
import { Readable } from 'node:stream'
import { checkKey, checkPrefix } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import { createRunner, type FaultyStoreOptions, lost } from './planned-faults.ts'
import { checkConditionalSize, checkRange, streamTooLarge } from './store-failure.ts'

export interface FaultyStore extends ObjectStore {
  /**
   * Number of injected faults of each kind. A simulation without faults does not prove anything.
   */
  readonly injected: Readonly<Record<'failBefore' | 'failAfter' | 'landLate', number>>
  /** Stops new faults and latency from now on, or starts them again. */
  calm(isCalm: boolean): void
  /** Resolves when every late write has landed. Rejects with the first error. */
  landed(): Promise<void>
}

export function createFaultyStore(options: FaultyStoreOptions): FaultyStore {
  const { inner, sleep } = options
  const runner = createRunner(options)
  const { read, write } = runner
  return {
    kind: inner.kind,
    injected: runner.injected,
    calm: runner.calm,
    landed: runner.landed,
    get: (key) =>
      read(
        'get',
        () => checkKey(key),
        () => inner.get(key)
      ),
    getRange: (key, offset, length) => {
      const check = () => (checkKey(key), checkRange(offset, length))
      return read('getRange', check, () => inner.getRange(key, offset, length))
    },
    getStream: (key) =>
      read(
        'getStream',
        () => checkKey(key),
        () => inner.getStream(key)
      ),
    head: (key) =>
      read(
        'head',
        () => checkKey(key),
        () => inner.head(key)
      ),
    put(key, body) {
      const copy = Uint8Array.from(body)
      return write(
        'put',
        () => checkKey(key),
        () => inner.put(key, copy)
      )
    },
    putIf(key, body, condition) {
      const copy = Uint8Array.from(body)
      const check = () => (checkKey(key), checkConditionalSize(key, body))
      return write('putIf', check, () => inner.putIf(key, copy, condition))
    },
    async putStream(key, body, { maxBytes }) {
      // Read at once: a late write has no caller left to read from.
      const whole = await collect(key, body, maxBytes)
      const source = () =>
        Readable.from(whole.byteLength === 0 ? [] : [whole], { objectMode: false })
      return write(
        'putStream',
        () => checkKey(key),
        () => inner.putStream(key, source(), { maxBytes })
      )
    },
    delete(keys) {
      const copy = [...keys]
      return write(
        'delete',
        () => copy.forEach(checkKey),
        () => inner.delete(copy)
      )
    },
    async *list(prefix, listOptions) {
      checkPrefix(prefix)
      const plan = runner.plan('list')
      await sleep(plan.thereMs)
      if (plan.fault === 'failBefore') throw lost('list')
      // The answer is lost at some page: after as many keys as the milliseconds on the way back.
      let left = plan.fault === 'failAfter' ? Math.floor(plan.backMs) : Infinity
      for await (const info of inner.list(prefix, listOptions)) {
        if (left-- <= 0) throw lost('list')
        yield info
      }
    },
    close: () => inner.close()
  }
}

async function collect(key: string, body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBytes) throw streamTooLarge(key, maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
