// The record of which images of a chunk are in somebody's hands. Lost with Redis, and then only this process remembers.
import { inHandKey } from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/log'
import type { Redis } from '@likeness/shared/redis'
import { z } from 'zod'

const inHandSchema = z.object({ workerId: z.string(), alone: z.boolean(), deaths: z.number().int().min(0) })
export type InHand = z.infer<typeof inHandSchema>

export interface InHandRecord {
  /** What workers that are gone, or a chunk that was taken away, have left: ordinal -> record. */
  leftovers(): Promise<Map<number, InHand>>
  /** Resolves when written, or when Redis does not answer soon. Never rejects. */
  take(ordinal: number, state: { alone: boolean; deaths: number }): Promise<void>
  letGo(ordinal: number): void
}

const keepS = 7 * 86_400
const patienceMs = 500

export function createInHand({ redis, workerId, log }: { redis: Redis; workerId: string; log: Logger }) {
  const missed = (error: unknown): void => log.debug({ err: error }, 'in-hand record not written')
  return (ingestion: string, firstOrdinal: number): InHandRecord => {
    const key = inHandKey(ingestion, firstOrdinal)
    return {
      async leftovers() {
        const fields = await answerOr(redis.hgetall(key), {}, missed)
        return new Map(Object.entries(fields).flatMap(([ordinal, text]) => parseRecord(ordinal, text)))
      },
      async take(ordinal, { alone, deaths }) {
        const record: InHand = { workerId, alone, deaths }
        await answerOr(redis.pipeline().hset(key, String(ordinal), JSON.stringify(record)).expire(key, keepS).exec(), null, missed)
      },
      letGo: (ordinal) => void redis.hdel(key, String(ordinal)).catch(missed)
    }
  }
}
export type OpenInHand = ReturnType<typeof createInHand>

function parseRecord(ordinal: string, text: string): [number, InHand][] {
  try {
    return [[Number(ordinal), inHandSchema.parse(JSON.parse(text))]]
  } catch {
    // Written by another version: the image is suspect all the same.
    return [[Number(ordinal), { workerId: '', alone: false, deaths: 0 }]]
  }
}

/** A record is a precaution: a Redis that hangs or fails delays work by little and stops nothing. */
async function answerOr<T>(answer: Promise<T>, otherwise: T, missed: (error: unknown) => void): Promise<T> {
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
