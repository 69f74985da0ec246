// The log of a collection: slot objects, each with a group of operations in order. Slots are
// created with `create`, so their order is the order of acceptance.
import { z } from 'zod'
import { decodeObject, encodeObject } from './checked-object.ts'
import { collectionNameSchema, embeddingSchema, settingsChangeSchema } from './collection.ts'
import { filterSchema } from './filter.ts'
import { itemIdSchema, labelSchema, metadataSchema } from './item-list.ts'

/** Most operations in one slot. revision = slot * operationsPerSlot + index in the slot. */
export const operationsPerSlot = 1024

export const revisionOf = (slot: number, index: number): number => slot * operationsPerSlot + index
export const slotOf = (revision: number): number => Math.floor(revision / operationsPerSlot)

const operationBase = { opId: z.string(), atMs: z.number() }
export const ingestOperationSchema = z.object({
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
  requestId: z.string().optional()
})
export const deleteOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('delete'),
  ids: z.array(itemIdSchema).min(1).max(10_000)
})
/**
 * Payload update, stored as `relabel`. The given fields replace those of the items with these ids,
 * label and metadata each as a whole. Ids without an item are skipped.
 */
export const relabelOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('relabel'),
  ids: z.array(itemIdSchema).min(1).max(10_000),
  label: labelSchema.nullable().optional(),
  metadata: metadataSchema.optional()
})
/**
 * Filter delete: deletes the items that match at this place in the order. Items of older ingestions
 * that arrive later are deleted too.
 */
export const deleteWhereOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('delete_where'),
  filter: filterSchema
})
export const snapshotNameSchema = collectionNameSchema
/**
 * Keeps the state of the collection after the slots below this one. Has no effect when the name is
 * taken.
 */
export const takeSnapshotOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('take_snapshot'),
  name: snapshotNameSchema
})
export const dropSnapshotOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('drop_snapshot'),
  name: snapshotNameSchema
})
/**
 * Sets the collection back to the content of the snapshot. Has no effect when the snapshot no
 * longer exists.
 */
export const restoreOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('restore'),
  name: snapshotNameSchema,
  /**
   * The snapshot in terms of the log, so that log and batches can make its content again: the slots
   * applied then, and the done ordinals of the ingestions that were open.
   */
  snapshot: z.object({
    revision: z.number().int(),
    appliedSlot: z.number().int(),
    open: z.record(z.string(), z.string())
  })
})
/**
 * Changes search and storage settings from here on. The items stay, and a restore does not undo the
 * change.
 */
export const configureOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('configure'),
  settings: settingsChangeSchema
})
/** These operations change only the storage. The content of the collection stays the same. */
export const compactOperationSchema = z.object({ ...operationBase, kind: z.literal('compact') })
export const rebuildOperationSchema = z.object({ ...operationBase, kind: z.literal('rebuild') })
/**
 * Gives every item the vector of another embedding of the same model, made from the raw vectors
 * that batches keep. The change is one step, after all vectors are made.
 */
export const reprojectOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('reproject'),
  embedding: embeddingSchema
})
export const operationSchema = z.discriminatedUnion('kind', [
  ingestOperationSchema,
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
export type RelabelOperation = z.infer<typeof relabelOperationSchema>
export type RestoreOperation = z.infer<typeof restoreOperationSchema>

export const logSlotSchema = z.object({
  format: z.literal(1),
  operations: z.array(operationSchema).min(1).max(operationsPerSlot)
})
export type LogSlot = z.infer<typeof logSlotSchema>

export const encodeLogSlot = (operations: readonly Operation[]): Uint8Array =>
  encodeObject({ format: 1, operations })
export const decodeLogSlot = (key: string, body: Uint8Array): LogSlot =>
  decodeObject(logSlotSchema, key, body)
