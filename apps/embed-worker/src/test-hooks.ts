// Test hooks that make a picture deadly or slow in real processes. Empty unless LIKENESS_TEST_HOOKS
// is set.
import { z } from 'zod'
import { sha256Hex } from '@likeness/shared/data/sha256'

const hooksSchema = z.object({
  /** Pictures that kill the process which is about to decode them. */
  killOnSha256: z.array(z.string()).default([]),
  /** Item id -> delay in milliseconds before the picture is decoded. */
  delayOnIdMs: z.record(z.string(), z.number()).default({}),
  /** The same for all ids with a prefix: costs the time of a large model, without the load. */
  delayOnPrefixMs: z.record(z.string(), z.number()).default({})
})

export interface TestHooks {
  /** Called when a picture has been read and its task is recorded as started. */
  beforeDecode(bytes: Uint8Array): void
  delayMs(itemId: string): number
}

/** Throws on JSON that is not a description of hooks. */
export function createTestHooks(
  text: string | undefined,
  kill: () => void = () => process.kill(process.pid, 'SIGKILL')
): TestHooks {
  if (text === undefined) return { beforeDecode: () => {}, delayMs: () => 0 }
  const { killOnSha256, delayOnIdMs, delayOnPrefixMs } = hooksSchema.parse(JSON.parse(text))
  const deadly = new Set(killOnSha256)
  return {
    beforeDecode(bytes) {
      if (deadly.size > 0 && deadly.has(sha256Hex(bytes))) kill()
    },
    delayMs(itemId) {
      if (Object.hasOwn(delayOnIdMs, itemId)) return delayOnIdMs[itemId]!
      return Object.entries(delayOnPrefixMs).find(([prefix]) => itemId.startsWith(prefix))?.[1] ?? 0
    }
  }
}
