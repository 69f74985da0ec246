// What workers tell about themselves, over a pub/sub channel every second: that they live, and what
// they cannot do now. Redis stores nothing of it. So it works on a Redis that is full or cannot
// write, and a dead worker leaves nothing behind. A hint: the truth is in the object store.
import { z } from 'zod'
import { isErrorCode, type ErrorCode } from '../errors.ts'
import { maxTroubles, maxTroubleTextLength } from './limits.ts'
import { embedderAddressSchema } from './work.ts'

export const presenceChannel = 'likeness:presence'
export const presenceEveryMs = 1_000
/** A worker that is silent for longer counts as gone. */
export const silentAfterMs = 10_000

const troubleSchema = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)),
  detail: z.string().max(maxTroubleTextLength),
  sinceMs: z.number(),
  collectionId: z.string().optional(),
  stands: z.boolean().optional()
})
export const presenceSchema = z.object({
  app: z.enum(['index-worker', 'embed-worker']),
  workerId: z.string().max(64),
  troubles: z.array(troubleSchema).max(maxTroubles),
  /** The address of an embed-worker's embed server, while Redis takes no entry for it. */
  embedder: embedderAddressSchema.optional(),
  /** The worker ends. */
  gone: z.boolean().optional()
})
export type Presence = z.infer<typeof presenceSchema>
