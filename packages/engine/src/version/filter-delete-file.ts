// The file of pending filter deletes of a version, stored as `sweeps`. They wait for items of older
// ingestions.
import { z } from 'zod'
import { type Filter, filterShape } from '@likeness/shared/contract/filter'

export interface PendingFilterDelete {
  revision: number
  filter: Filter
}
const sweepFileSchema = z.array(z.strictObject({ revision: z.number().int(), filter: filterShape }))

export const encodeFilterDeletes = (filterDeletes: readonly PendingFilterDelete[]): Uint8Array =>
  Buffer.from(JSON.stringify(filterDeletes))
export const decodeFilterDeletes = (body: Uint8Array): PendingFilterDelete[] =>
  sweepFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
