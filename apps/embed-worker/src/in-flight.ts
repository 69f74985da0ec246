// Records which images of a chunk are in flight. When Redis loses the record, only this process
// remembers.
import { z } from 'zod'
import { inFlightKey } from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/process/logger'
import type { Redis } from '@likeness/shared/process/redis'

const inHandSchema = z.object({
  workerId: z.string(),
  alone: z.boolean(),
  deaths: z.number().int().min(0)
})
export type InFlight = z.infer<typeof inHandSchema>

export interface InFlightRecord {
  /**
   * Records left by workers that are gone, or by a chunk that was taken away: ordinal -> record.
   */
  leftovers(): Promise<Map<number, InFlight>>
  /**
   * Resolves when the record is written, or when Redis does not answer soon. Never rejects. Calls
   * in the same turn of the loop are written together.
   */
  take(ordinal: number, state: { alone: boolean; deaths: number }): Promise<void>
  /** Removes a record; written with the next `take`, or soon. */
  letGo(ordinal: number): void
  /** Resolves when the removals are written, or when Redis does not answer soon. Never rejects. */
  flush(): Promise<void>
}

const keepS = 7 * 86_400
const patienceMs = 500
/**
 * Longest delay of a removal. A picture that was finished shortly before its worker died is only
 * tried alone.
 */
const letGoWithinMs = 100

export function createInFlight({
  redis,
  workerId,
  logger
}: {
  redis: Redis
  workerId: string
  logger: Logger
}) {
  const missed = (error: unknown): void =>
    logger.debug({ err: error }, 'in-hand record not written')

  return (ingestion: string, firstOrdinal: number): InFlightRecord => {
    const key = inFlightKey(ingestion, firstOrdinal)
    const taken = new Map<string, string>()
    const released = new Set<string>()
    let writing: Promise<void> | undefined
    let timer: NodeJS.Timeout | undefined

    /**
     * Writes the new records first. Redis deletes a key with its last field, and the expiry would
     * be lost.
     */
    async function write(): Promise<void> {
      writing = undefined
      clearTimeout(timer)
      timer = undefined
      if (taken.size + released.size === 0) return
      const commands = redis.pipeline()
      if (taken.size > 0) commands.hset(key, Object.fromEntries(taken)).expire(key, keepS)
      if (released.size > 0) commands.hdel(key, ...released)
      taken.clear()
      released.clear()
      await answerOr(commands.exec(), null, missed)
    }

    return {
      async leftovers() {
        const fields = await answerOr(redis.hgetall(key), {}, missed)
        return new Map(
          Object.entries(fields).flatMap(([ordinal, text]) => parseRecord(ordinal, text))
        )
      },
      take(ordinal, { alone, deaths }) {
        const record: InFlight = { workerId, alone, deaths }
        taken.set(String(ordinal), JSON.stringify(record))
        released.delete(String(ordinal))
        return (writing ??= Promise.resolve().then(write))
      },
      letGo(ordinal) {
        taken.delete(String(ordinal))
        released.add(String(ordinal))
        timer ??= setTimeout(() => void write(), letGoWithinMs)
      },
      flush: write
    }
  }
}
export type OpenInFlight = ReturnType<typeof createInFlight>

function parseRecord(ordinal: string, text: string): [number, InFlight][] {
  try {
    return [[Number(ordinal), inHandSchema.parse(JSON.parse(text))]]
  } catch {
    // Written by another version: the image is still suspect.
    return [[Number(ordinal), { workerId: '', alone: false, deaths: 0 }]]
  }
}

/**
 * Returns `otherwise` when Redis hangs or fails. The record is a precaution, so Redis may delay
 * work a little and never stops it.
 */
async function answerOr<T>(
  answer: Promise<T>,
  otherwise: T,
  missed: (error: unknown) => void
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), patienceMs)
  })
  const settled = answer.catch((error: unknown) => {
    missed(error)
    return otherwise
  })
  return Promise.race([settled, late]).finally(() => clearTimeout(timer))
}
