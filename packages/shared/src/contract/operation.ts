// The log of a collection: slot objects, each with a group of operations in order. Slots are
// created with `create`, so their order is the order of acceptance.
import { z } from 'zod'
import { appError } from '../errors.ts'
import { decodeObject, encodeObject, newerVersion, readValue } from './checked-object.ts'
import { collectionNameSchema, embeddingSchema, settingsChangeSchema } from './collection.ts'
import { filterDepth, filterShape } from './filter.ts'
import { beyondLimit, maxOperationBytes, maxRelabelBytes } from './limits.ts'
import { metadataBytes } from './metadata.ts'
import {
  encodeItemList,
  itemListLineSchema,
  storedIdSchema,
  storedLabelSchema,
  storedMetadataSchema
} from './item-list.ts'

/** Most operations in one slot. revision = slot * operationsPerSlot + index in the slot. */
export const operationsPerSlot = 1024

export const revisionOf = (slot: number, index: number): number => slot * operationsPerSlot + index
export const slotOf = (revision: number): number => Math.floor(revision / operationsPerSlot)

const operationBase = { opId: z.string(), atMs: z.number() }
export const ingestOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('ingest'),
  ingestion: z.string(),
  total: z.number().int().min(0),
  partSize: z.number().int().min(1),
  /**
   * Set when the caller supplied the vectors with the items. Their batches are in the store before
   * this entry, so there is no embedding to do.
   */
  given: z.boolean().optional(),
  /** Request id of the call that sent the operation. The id travels into jobs and logs. */
  requestId: z.string().optional(),
  /** Text such as `upload` or `prefix logos/`. Absent where a program before 0.4 may read the log. */
  source: z.string().optional(),
  /** Item lines of a small ingestion. Absent: they are in the parts of an item list. */
  items: z.array(itemListLineSchema).optional()
})
/**
 * Ends a job: of what has not come yet, nothing is taken any more. What came before stays. Has no
 * effect when the job has ended.
 */
export const cancelOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('cancel'),
  /** Revision of the ingestion. */
  revision: z.number().int()
})
export const deleteOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('delete'),
  ids: z.array(storedIdSchema).min(1)
})
/**
 * Payload update, stored as `relabel`. The given fields replace those of the items with these ids,
 * label and metadata each as a whole. Ids without an item are skipped.
 */
export const relabelOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('relabel'),
  ids: z.array(storedIdSchema).min(1),
  label: storedLabelSchema.nullable().optional(),
  metadata: storedMetadataSchema.optional()
})
/**
 * Filter delete: deletes the items that match at this place in the order. Items of older ingestions
 * that arrive later are deleted too.
 */
export const deleteWhereOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('delete_where'),
  filter: filterShape
})
export const snapshotNameSchema = collectionNameSchema
/**
 * Keeps the state of the collection after the slots below this one. Has no effect when the name is
 * taken.
 */
export const takeSnapshotOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('take_snapshot'),
  name: snapshotNameSchema
})
export const dropSnapshotOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('drop_snapshot'),
  name: snapshotNameSchema
})
/**
 * Sets the collection back to the content of the snapshot. Has no effect when the snapshot no
 * longer exists.
 */
export const restoreOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('restore'),
  name: snapshotNameSchema,
  /**
   * The snapshot in terms of the log, so that log and batches can make its content again: the slots
   * applied then, and the done ordinals of the ingestions that were open.
   */
  snapshot: z.strictObject({
    revision: z.number().int(),
    appliedSlot: z.number().int(),
    open: z.record(z.string(), z.string())
  })
})
/**
 * Changes search and storage settings from here on. The items stay, and a restore does not undo the
 * change.
 */
export const configureOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('configure'),
  settings: settingsChangeSchema
})
/** These operations change only the storage. The content of the collection stays the same. */
export const compactOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('compact')
})
export const rebuildOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('rebuild')
})
/**
 * Gives every item the vector of another embedding of the same model, made from the raw vectors
 * that batches keep. The change is one step, after all vectors are made.
 */
export const reprojectOperationSchema = z.strictObject({
  ...operationBase,
  kind: z.literal('reproject'),
  embedding: embeddingSchema
})
export const operationSchema = z.discriminatedUnion('kind', [
  ingestOperationSchema,
  cancelOperationSchema,
  deleteOperationSchema,
  relabelOperationSchema,
  deleteWhereOperationSchema,
  takeSnapshotOperationSchema,
  dropSnapshotOperationSchema,
  restoreOperationSchema,
  configureOperationSchema,
  compactOperationSchema,
  rebuildOperationSchema,
  reprojectOperationSchema
])
export type Operation = z.infer<typeof operationSchema>
export type IngestOperation = z.infer<typeof ingestOperationSchema>
/** `lineBytes`: bytes of the item lines, where the operation has them. */
export type LoggedIngest = IngestOperation & { lineBytes?: number }
export type RelabelOperation = z.infer<typeof relabelOperationSchema>
export type RestoreOperation = z.infer<typeof restoreOperationSchema>

/**
 * An operation of the log that every reader passes over alike: it has this result and no effect.
 * Never written. Such operations are in logs of programs that checked less.
 */
export interface VoidOperation {
  kind: 'void'
  opId: string
  atMs: number
  code: 'too_large' | 'invalid_request'
}
export type LoggedOperation = Exclude<Operation, IngestOperation> | LoggedIngest | VoidOperation

const logSlotSchema = z.strictObject({
  /** 2: an operation has what programs before 0.4 do not know. */
  format: z.union([z.literal(1), z.literal(2)]),
  operations: z.array(z.unknown()).min(1).max(operationsPerSlot)
})
export interface LogSlot {
  operations: LoggedOperation[]
}

const isNew = (operation: Operation): boolean =>
  operation.kind === 'cancel' || (operation.kind === 'ingest' && operation.source !== undefined)

export const encodeLogSlot = (operations: readonly Operation[]): Uint8Array =>
  encodeObject({ format: operations.some(isNew) ? 2 : 1, operations })

/**
 * Throws data_corrupt for damaged bytes, and unsupported_store for an operation of a newer program.
 * Every other operation that cannot be applied becomes a void one, so that a log goes on.
 */
export function decodeLogSlot(key: string, body: Uint8Array): LogSlot {
  const { operations } = decodeObject(logSlotSchema, key, body)
  return { operations: operations.map((value, index) => readOperation(`${key}[${index}]`, value)) }
}

// Limits of reading. They never change, because all owners must decide alike. They are wider than
// the limits of writing in limits.ts.
const mostReadDepth = 64
const mostReadRelabelBytes = 4 * maxRelabelBytes

const headSchema = z.looseObject({ kind: z.string(), ...operationBase })

function readOperation(key: string, value: unknown): LoggedOperation {
  const head = readValue(headSchema, key, value)
  const refused = (code: VoidOperation['code']): VoidOperation => ({
    kind: 'void',
    opId: head.opId,
    atMs: head.atMs,
    code
  })
  if (filterDepth(head.filter, mostReadDepth) > mostReadDepth) return refused('too_large')
  const parsed = operationSchema.safeParse(value)
  if (parsed.success) {
    const { data } = parsed
    if (data.kind === 'ingest')
      return hasAllLines(data) ? withLineBytes(data) : refused('invalid_request')
    return relabelBytes(data) > mostReadRelabelBytes ? refused('too_large') : data
  }
  const newer = newerVersion(key, parsed.error)
  if (newer !== undefined) throw newer
  return refused('invalid_request')
}

const hasAllLines = ({ items, total }: IngestOperation): boolean =>
  items === undefined || (items.length === total && items.every(({ ordinal }, i) => ordinal === i))

const withLineBytes = (operation: IngestOperation): LoggedIngest =>
  operation.items === undefined
    ? operation
    : { ...operation, lineBytes: encodeItemList(operation.items).byteLength }

/** Bytes of labels and metadata that a relabel writes, all items together; 0 for other kinds. */
export const relabelBytes = (operation: Operation): number =>
  operation.kind === 'relabel'
    ? operation.ids.length * metadataBytes({ label: operation.label, metadata: operation.metadata })
    : 0

/**
 * Throws too_large or internal unless every reader of the log can apply the operation. Call this
 * before an append: an entry that its readers cannot take must never exist.
 */
export function assertApplicable(operation: Operation): void {
  const slot = encodeLogSlot([operation])
  if (slot.byteLength > maxOperationBytes) throw beyondLimit('maxOperationBytes', slot.byteLength)
  const bytes =
    operation.kind === 'relabel' && Array.isArray(operation.ids) ? relabelBytes(operation) : 0
  if (bytes > maxRelabelBytes)
    throw beyondLimit('maxRelabelBytes', bytes, 'Relabel fewer ids at once')
  const [read] = decodeLogSlot('operation', slot).operations
  if (read!.kind === 'void')
    throw appError('internal', `the operation ${operation.kind} cannot be applied: ${read!.code}`)
}
