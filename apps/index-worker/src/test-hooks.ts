// Ways for tests with real processes to stop the writer at a pinned point of its work. Without LIKENESS_TEST_HOOKS the store stays as it is.
import { appendFileSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { z } from 'zod'

export const pinnedPoints = ['before-segment', 'after-segment', 'before-cas', 'after-cas', 'before-job-result'] as const
export type PinnedPoint = (typeof pinnedPoints)[number]

const hooksSchema = z.object({
  /** A file with the name of a point arms it: whichever writer gets there next takes the file and sends itself the signal that the file names. */
  pointsDir: z.string()
})

/** What a point that was met is called then; a line of JSON is added to it: who was there, when, and the key. */
export const reachedName = (point: PinnedPoint): string => `${point}.reached`

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

function createPins(dir: string, send: (signal: NodeJS.Signals) => void) {
  return (point: PinnedPoint, key: string): void => {
    const reached = join(dir, reachedName(point))
    try {
      renameSync(join(dir, point), reached)
    } catch (error) {
      if (isMissing(error)) return
      throw error
    }
    const signal = readFileSync(reached, 'utf8').trim() as NodeJS.Signals
    appendFileSync(reached, `\n${JSON.stringify({ pid: process.pid, atMs: Date.now(), key })}\n`)
    send(signal)
  }
}

const isSegment = (key: string): boolean => /^c\/[^/]+\/seg\//.test(key)
const isCurrent = (key: string): boolean => /^c\/[^/]+\/CURRENT$/.test(key)
const isJobResult = (key: string): boolean => /^c\/[^/]+\/job\/[^/]+\/result\.json$/.test(key)

/** Throws on JSON that is not a description of hooks. */
export function withTestHooks(store: ObjectStore, text: string | undefined, send = (signal: NodeJS.Signals): void => void process.kill(process.pid, signal)): ObjectStore {
  if (text === undefined) return store
  const pin = createPins(hooksSchema.parse(JSON.parse(text)).pointsDir, send)
  async function aroundWrite<T>(key: string, write: () => Promise<T>): Promise<T> {
    if (isJobResult(key)) pin('before-job-result', key)
    if (!isSegment(key)) return await write()
    pin('before-segment', key)
    const written = await write()
    pin('after-segment', key)
    return written
  }
  const wrapped: Partial<ObjectStore> = {
    put: (key, body) => aroundWrite(key, () => store.put(key, body)),
    putStream: (key, body, options) => aroundWrite(key, () => store.putStream(key, body, options)),
    async putIf(key, body, condition) {
      if (!isCurrent(key)) return await store.putIf(key, body, condition)
      pin('before-cas', key)
      const swapped = await store.putIf(key, body, condition)
      pin('after-cas', key)
      return swapped
    }
  }
  return new Proxy(store, {
    get(target, name) {
      const own = wrapped[name as keyof ObjectStore]
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}
