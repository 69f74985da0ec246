// The part of a version that grows with what is going on: jobs, tombstones, waiting updates and
// filter deletes. It is a set of lines, a value by kind and key. A commit writes the lines that have
// changed; the last line of a key counts.
import { z } from 'zod'
import { decodeLines, encodeLines } from '@likeness/shared/contract/checked-object'
import { filterShape } from '@likeness/shared/contract/filter'
import { looseBatchSchema } from './history.ts'
import { waitingSchema } from '../item/payload-updates.ts'
import { fileRefSchema } from './file-ref.ts'
import { ingestionRecordSchema } from './job-record.ts'

/** Finished jobs that were put into an object of their own, sorted by revision. */
export const jobPageSchema = z.strictObject({
  file: fileRefSchema,
  first: z.number().int(),
  last: z.number().int(),
  jobs: z.number().int(),
  cancelled: z.number().int(),
  /** When the last of them ended. */
  endedAtMs: z.number()
})
export type JobPage = z.infer<typeof jobPageSchema>

const hex = z.string().regex(/^[0-9a-f]{32}$/)
const byRevision = z.string().regex(/^\d{16}$/)
export const stateLineSchema = z.discriminatedUnion('kind', [
  /** By revision: open ingestions, and finished ones that are in no page. */
  z.strictObject({
    kind: z.literal('job'),
    key: byRevision,
    value: ingestionRecordSchema.nullable()
  }),
  /** By the first revision and an id, because pages may begin with the same job. */
  z.strictObject({ kind: z.literal('page'), key: z.string(), value: jobPageSchema.nullable() }),
  /** By hash: revision and ordinal up to which the item is gone. */
  z.strictObject({
    kind: z.literal('tombstone'),
    key: hex,
    value: z.tuple([z.number().int(), z.number().int()]).nullable()
  }),
  /** By hash. */
  z.strictObject({ kind: z.literal('update'), key: hex, value: z.array(waitingSchema).nullable() }),
  /** By revision. */
  z.strictObject({
    kind: z.literal('filter_delete'),
    key: byRevision,
    value: filterShape.nullable()
  }),
  /** By the number of the first arrival: batches that are in no pack. */
  z.strictObject({
    kind: z.literal('batch'),
    key: z.string().regex(/^\d{16}$/),
    value: looseBatchSchema.nullable()
  })
])
/** `value` null: the key is gone. */
export type StateLine = z.infer<typeof stateLineSchema>
export type StateKind = StateLine['kind']
export type ValueOf<K extends StateKind> = NonNullable<Extract<StateLine, { kind: K }>['value']>

/** Place of a line in the order of lines. */
export const lineName = ({ kind, key }: Pick<StateLine, 'kind' | 'key'>): string => `${kind}/${key}`

export const encodeStateLines = (lines: readonly StateLine[]): Uint8Array => encodeLines(lines)
/** Throws data_corrupt, or unsupported_store for lines of a newer program. */
export const decodeStateLines = (key: string, body: Uint8Array): StateLine[] =>
  decodeLines(stateLineSchema, key, body)

/** Where the lines of a version are. Later ones replace earlier ones: base, deltas, recent. */
export const stateRefSchema = z.strictObject({
  /** Parts of the lines of an earlier version, sorted. `first`: name of the first line. */
  base: z.array(fileRefSchema.extend({ first: z.string() })),
  /** Lines of the commits since then, oldest first. */
  deltas: z.array(fileRefSchema),
  /** Lines of the last commits. */
  recent: z.array(stateLineSchema)
})
export type StateRef = z.infer<typeof stateRefSchema>
export const noState: StateRef = { base: [], deltas: [], recent: [] }
