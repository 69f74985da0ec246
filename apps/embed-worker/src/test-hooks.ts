// Test hooks that make a picture deadly or slow in real processes. Empty unless LIKENESS_TEST_HOOKS
// is set.
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { sha256Hex } from '@likeness/shared/data/sha256'

const hooksSchema = z.object({
  /** Pictures that kill the process which is about to decode them. */
  killOnSha256: z.array(z.string()).default([]),
  /** Item id -> delay in milliseconds before the picture is decoded. */
  delayOnIdMs: z.record(z.string(), z.number()).default({}),
  /** The same for all ids with a prefix: costs the time of a large model, without the load. */
  delayOnPrefixMs: z.record(z.string(), z.number()).default({}),
  /** Prefix of an id -> path of a file: the picture is decoded once the file is gone. */
  holdOnPrefix: z.record(z.string(), z.string()).default({})
})

export interface TestHooks {
  /** Called when a picture has been read and its task is recorded as started. */
  beforeDecode(bytes: Uint8Array): void
  /** Resolves when the picture of an item may be decoded. */
  letPass(itemId: string): Promise<void>
}

/** Throws on JSON that is not a description of hooks. */
export function createTestHooks(
  text: string | undefined,
  kill: () => void = () => process.kill(process.pid, 'SIGKILL')
): TestHooks {
  if (text === undefined) return { beforeDecode: () => {}, letPass: () => Promise.resolve() }
  const hooks = hooksSchema.parse(JSON.parse(text))
  const { killOnSha256, delayOnIdMs, delayOnPrefixMs, holdOnPrefix } = hooks
  const deadly = new Set(killOnSha256)
  return {
    beforeDecode(bytes) {
      if (deadly.size > 0 && deadly.has(sha256Hex(bytes))) kill()
    },
    async letPass(itemId) {
      const ownMs = Object.hasOwn(delayOnIdMs, itemId) ? delayOnIdMs[itemId] : undefined
      await sleep(ownMs ?? findByPrefix(delayOnPrefixMs, itemId) ?? 0)
      const file = findByPrefix(holdOnPrefix, itemId)
      while (file !== undefined && existsSync(file)) await sleep(20)
    }
  }
}

const findByPrefix = <T>(all: Record<string, T>, id: string): T | undefined =>
  Object.entries(all).find(([prefix]) => id.startsWith(prefix))?.[1]
