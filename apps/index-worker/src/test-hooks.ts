// Test hooks that stop the writer or a merge of a real process at a chosen point of its work.
// Without LIKENESS_TEST_HOOKS the store stays unchanged.
import { appendFileSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { seqOfEndedJobs } from '@likeness/shared/contract/keys'
import type { ObjectStore } from '@likeness/store/object-store'

export const pinnedPoints = [
  'before-segment',
  'after-segment',
  'before-cas',
  'after-cas',
  'before-ended-jobs',
  'before-delete'
] as const
/**
 * Points of a merge process: it reads an input, is about to write the first file, has written the
 * last file; the same of a fold.
 */
export const mergePoints = [
  'merge-reading',
  'before-merged',
  'after-merged',
  'before-base',
  'after-base'
] as const
export type PinnedPoint = (typeof pinnedPoints)[number] | (typeof mergePoints)[number]
type Send = (signal: NodeJS.Signals) => void

const hooksSchema = z.object({
  /**
   * Folder of the armed points. A file with the name of a point arms the point. The first process
   * that gets there takes the file and sends itself the signal that the file names.
   */
  pointsDir: z.string(),
  /** Slots of the log after which the history is folded, so that a test need not make thousands. */
  foldSlots: z.number().int().min(1).optional()
})

/** Name of the file after the point was reached. A line of JSON is added: process, time and key. */
export const reachedName = (point: PinnedPoint): string => `${point}.reached`

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

function createPins(dir: string, send: Send) {
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
const isBase = (key: string): boolean => /^c\/[^/]+\/base\//.test(key)
const isSlot = (key: string): boolean => /^c\/[^/]+\/log\//.test(key)

/** The first and the last file that a merge writes. */
const [firstMerged, lastMerged] = [/^c\/[^/]+\/seg\/[^/]+\.index$/, /^c\/[^/]+\/seg\/[^/]+\.meta$/]
const sendSelf: Send = (signal) => void process.kill(process.pid, signal)

function pinsOf(text: string, send: Send): ReturnType<typeof createPins> {
  return createPins(hooksSchema.parse(JSON.parse(text)).pointsDir, send)
}

/** Adds the hooks of a writer. Throws on JSON that is not a description of hooks. */
export function withTestHooks(
  store: ObjectStore,
  text: string | undefined,
  send = sendSelf
): ObjectStore {
  if (text === undefined) return store
  const pin = pinsOf(text, send)
  return changed(store, {
    ...aroundWrites(store, async (key, write) => {
      if (seqOfEndedJobs(key) !== undefined) pin('before-ended-jobs', key)
      if (!isSegment(key)) return await write()
      pin('before-segment', key)
      const written = await write()
      pin('after-segment', key)
      return written
    }),
    async putIf(key, body, condition) {
      if (!isCurrent(key)) return await store.putIf(key, body, condition)
      pin('before-cas', key)
      const swapped = await store.putIf(key, body, condition)
      pin('after-cas', key)
      return swapped
    },
    async delete(keys) {
      const slot = keys.find(isSlot)
      if (slot !== undefined) pin('before-delete', slot)
      await store.delete(keys)
    }
  })
}

/** When a test wants the history to be folded. */
export function testedFoldShape(text: string | undefined): { slots: number } | undefined {
  const slots = text === undefined ? undefined : hooksSchema.parse(JSON.parse(text)).foldSlots
  return slots === undefined ? undefined : { slots }
}

/** Adds the hooks of a merge process. */
export function withMergeHooks(
  store: ObjectStore,
  text: string | undefined,
  send = sendSelf
): ObjectStore {
  if (text === undefined) return store
  const pin = pinsOf(text, send)
  return changed(store, {
    async get(key) {
      if (isSegment(key)) pin('merge-reading', key)
      return await store.get(key)
    },
    ...aroundWrites(store, async (key, write) => {
      if (firstMerged.test(key)) pin('before-merged', key)
      if (isBase(key)) pin('before-base', key)
      const written = await write()
      if (isBase(key)) pin('after-base', key)
      if (lastMerged.test(key)) pin('after-merged', key)
      return written
    })
  })
}

function aroundWrites(
  store: ObjectStore,
  around: <T>(key: string, write: () => Promise<T>) => Promise<T>
): Pick<ObjectStore, 'put' | 'putStream'> {
  return {
    put: (key, body) => around(key, () => store.put(key, body)),
    putStream: (key, body, options) => around(key, () => store.putStream(key, body, options))
  }
}

function changed(store: ObjectStore, methods: Partial<ObjectStore>): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const own = methods[name as keyof ObjectStore]
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}
