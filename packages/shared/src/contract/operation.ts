// The log of a collection: slot objects, each a group of operations in order. Slots are created with `create`, so their order is the order of acceptance.
import { z } from 'zod'
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
export const deleteOperationSchema = z.object({ ...operationBase, kind: z.literal('delete'), ids: z.array(itemIdSchema).min(1).max(10_000) })
/** What is given replaces what items of these ids have, label and metadata each as a whole; items that do not exist stay so. */
export const relabelOperationSchema = z.object({
  ...operationBase,
  kind: z.literal('relabel'),
  ids: z.array(itemIdSchema).min(1).max(10_000),
  label: labelSchema.nullable().optional(),
  metadata: metadataSchema.optional()
})
export const operationSchema = z.discriminatedUnion('kind', [ingestOperationSchema, deleteOperationSchema, relabelOperationSchema])
export type Operation = z.infer<typeof operationSchema>
export type IngestOperation = z.infer<typeof ingestOperationSchema>
export type RelabelOperation = z.infer<typeof relabelOperationSchema>

export const logSlotSchema = z.object({ format: z.literal(1), operations: z.array(operationSchema).min(1).max(operationsPerSlot) })
export type LogSlot = z.infer<typeof logSlotSchema>

export const encodeLogSlot = (operations: readonly Operation[]): Uint8Array => Buffer.from(JSON.stringify({ format: 1, operations }))
export const decodeLogSlot = (body: Uint8Array): LogSlot => logSlotSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
