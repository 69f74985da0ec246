// Deletions by filter that wait for items of older ingestions, as a file of a version.
import { z } from 'zod'
import { type Filter, filterSchema } from '@likeness/shared/contract/filter'

export interface Sweep {
  revision: number
  filter: Filter
}
const sweepFileSchema = z.array(z.object({ revision: z.number().int(), filter: filterSchema }))

export const encodeSweeps = (sweeps: readonly Sweep[]): Uint8Array => Buffer.from(JSON.stringify(sweeps))
export const decodeSweeps = (body: Uint8Array): Sweep[] => sweepFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
