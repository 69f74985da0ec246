// The file of pending filter deletes that programs before 0.4 wrote.
import { z } from 'zod'
import { type Filter, filterShape } from '@likeness/shared/contract/filter'

const sweepFileSchema = z.array(z.strictObject({ revision: z.number().int(), filter: filterShape }))

export const decodeFilterDeletes = (body: Uint8Array): { revision: number; filter: Filter }[] =>
  sweepFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
