// Filters of a search: conditions on label and metadata, as JSON. All conditions of a filter must
// hold.
import { z } from 'zod'

const scalarSchema = z.union([z.string().max(4096), z.number(), z.boolean()])
export type FilterScalar = z.infer<typeof scalarSchema>

const rangeSchema = z
  .strictObject({
    gt: z.number().optional(),
    gte: z.number().optional(),
    lt: z.number().optional(),
    lte: z.number().optional()
  })
  .refine(
    (range) => Object.values(range).some((bound) => bound !== undefined),
    'a range has at least one of gt, gte, lt, lte'
  )

export type Condition =
  /** Equal, and of the same type: "7" is not 7. */
  | FilterScalar
  | { in: FilterScalar[] }
  /** Numbers only. Values of another type do not match. */
  | { gt?: number; gte?: number; lt?: number; lte?: number }
  /** Whether there is a value that is not null. */
  | { exists: boolean }
  /** Matches items without the value too. */
  | { not: Condition }

export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    scalarSchema,
    z.strictObject({ in: z.array(scalarSchema).min(1).max(10_000) }),
    z.strictObject({ exists: z.boolean() }),
    z.strictObject({ not: conditionSchema }),
    rangeSchema
  ])
)

export interface Filter {
  label?: Condition
  /** Conditions by key of the item's metadata. */
  metadata?: Record<string, Condition>
  /** At least one of these filters must hold. */
  any?: Filter[]
  not?: Filter
}
export const filterSchema: z.ZodType<Filter> = z.lazy(() =>
  z.strictObject({
    label: conditionSchema.optional(),
    metadata: z.record(z.string().min(1).max(128), conditionSchema).optional(),
    any: z.array(filterSchema).min(1).max(100).optional(),
    not: filterSchema.optional()
  })
)

/** `label` or `metadata.KEY`. Hits with the same value form one group. */
export const groupBySchema = z
  .string()
  .regex(/^(label|metadata\..{1,128})$/s, 'group_by is `label` or `metadata.KEY`')
