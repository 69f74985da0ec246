// The log of a collection: slot objects, each a group of operations in order. Slots are created with `create`, so their order is the order of acceptance.
import { z } from 'zod'
import { decodeObject, encodeObject } from './checked-object.ts'
import { collectionNameSchema, embeddingSchema, settingsChangeSchema } from './collection.ts'
import { filterSchema } from './filter.ts'
import { itemIdSchema, labelSchema, metadataSchema } from './item-list.ts'

/** Most operations in one slot; revision = slot * this + index in the slot. */
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
  /** The vectors came with the items: their batches are in the store before this entry, and nothing is to be embedded. */
  given: z.boolean().optional(),
  /** Request id of the call that brought it; travels into jobs and logs. */
  requestId: z.string().optional()
})
export const deleteOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('delete'),
  ids: z.array(itemIdSchema).min(1).max(10_000)
})
/** What is given replaces what items of these ids have, label and metadata each as a whole; items that do not exist stay so. */
export const relabelOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('relabel'),
  ids: z.array(itemIdSchema).min(1).max(10_000),
  label: labelSchema.nullable().optional(),
  metadata: metadataSchema.optional()
})
/** Deletes what matches at its place in the order; items of older ingestions that are still to come too. */
export const deleteWhereOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('delete_where'),
  filter: filterSchema
})
export const snapshotNameSchema = collectionNameSchema
/** Keeps what the slots below this one made of the collection. No effect when the name is taken. */
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
/** The collection becomes what the snapshot holds. No effect when there is no such snapshot any more. */
export const restoreOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('restore'),
  name: snapshotNameSchema,
  /** What the snapshot holds in terms of the log, so that log and batches make it again: the slots applied then, and done ordinals of what was open. */
  snapshot: z.object({
    revision: z.number().int(),
    appliedSlot: z.number().int(),
    open: z.record(z.string(), z.string())
  })
})
/** How it is searched and kept from here on; what it holds stays, and a restore does not undo it. */
export const configureOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('configure'),
  settings: settingsChangeSchema
})
/** Change nothing of what the collection holds: how it is stored. */
export const compactOperationSchema = z.object({ ...operationBase, kind: z.literal('compact') })
export const rebuildOperationSchema = z.object({ ...operationBase, kind: z.literal('rebuild') })
/** Every item gets the vector of another embedding of the same model, made of the raw vectors that batches keep: in one step, once all of them are made. */
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
