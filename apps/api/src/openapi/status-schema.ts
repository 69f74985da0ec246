// The state of a process and its troubles, in the OpenAPI document.
import { z } from 'zod'
import { embeddingSchema } from '@likeness/shared/contract/collection'
import type { DisksAnswer } from '@likeness/shared/contract/http/status'
import type { TroubleAnswer } from '@likeness/shared/contract/http/troubles'

const count = z.number().int().min(0)
const roomSchema = z.strictObject({ free_bytes: count, total_bytes: count }).nullable()

export const troubleSchema = z.strictObject({
  process: z.enum(['api', 'index-worker', 'embed-worker']),
  code: z.string(),
  detail: z.string(),
  incarnation: z.string().nullable(),
  since: z.iso.datetime()
}) satisfies z.ZodType<TroubleAnswer>

export const statusSchema = z.strictObject({
  store: z.string(),
  replica: z.array(
    z.strictObject({
      incarnation: z.string(),
      seq: count,
      rows: count,
      behind_ms: z.number(),
      alarm: z.string().nullable(),
      bytes: count,
      pinned: z.boolean()
    })
  ),
  disks: z.strictObject({
    data: roomSchema,
    store: roomSchema
  }) satisfies z.ZodType<DisksAnswer>,
  memory_bytes: count.nullable(),
  lanes: z.array(
    z.strictObject({
      worker: z.string(),
      embedding: embeddingSchema,
      provider: z.string(),
      seen_at: z.iso.datetime()
    })
  ),
  index_workers: z.array(z.strictObject({ worker: z.string(), seen_at: z.iso.datetime() })),
  troubles: z.array(troubleSchema)
})
