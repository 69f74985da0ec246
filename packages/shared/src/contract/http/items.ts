// Items: deleting and relabelling them, and how one is shown.
import { z } from 'zod'
import { type Filter, filterSchema } from '../filter.ts'
import { itemIdSchema, labelSchema, type Metadata, metadataSchema } from '../item-list.ts'
import { maxIdsPerOperation } from '../limits.ts'

const hasNoCondition = ({ label, metadata = {} }: Filter): boolean =>
  label === undefined && Object.keys(metadata).length === 0
const matchesAll = (filter: Filter): boolean =>
  hasNoCondition(filter) &&
  (filter.not === undefined || matchesNothing(filter.not)) &&
  (filter.any?.some(matchesAll) ?? true)
const matchesNothing = ({ any, not }: Filter): boolean =>
  (not !== undefined && matchesAll(not)) || any?.every(matchesNothing) === true
export const deleteItemsSchema = z
  .strictObject({
    ids: z.array(itemIdSchema).min(1).max(maxIdsPerOperation).optional(),
    label: labelSchema.optional(),
    filter: filterSchema.optional()
  })
  .refine(
    (body) => Object.values(body).filter((value) => value !== undefined).length === 1,
    'give one of ids, label and filter'
  )
  .refine(
    ({ filter }) => filter === undefined || !matchesAll(filter),
    'a filter without a condition would delete everything'
  )
const relabelFields = {
  label: labelSchema.nullable().optional(),
  metadata: metadataSchema.optional()
}
const changesSomething = ({ label, metadata }: { label?: unknown; metadata?: unknown }): boolean =>
  label !== undefined || metadata !== undefined
export const relabelItemSchema = z
  .strictObject(relabelFields)
  .refine(changesSomething, 'give label, metadata or both')
export const relabelItemsSchema = z
  .strictObject({ ids: z.array(itemIdSchema).min(1).max(maxIdsPerOperation), ...relabelFields })
  .refine(changesSomething, 'give label, metadata or both')

export interface ItemAnswer {
  id: string
  label: string | null
  metadata: Metadata
  revision: number
  rows: {
    kind: string
    box: [number, number, number, number]
    score: number
    class: string | null
  }[]
  image: string
  thumbnail: string
  index_seq: number
}
