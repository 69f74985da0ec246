// The payload of an item: JSON beside its columns, read by row when it is answered.
import { metadataSchema } from '@likeness/shared/contract/item-list'
import { batchRowSchema } from '@likeness/shared/contract/vector-batch'
import { z } from 'zod'

export const itemPayloadSchema = z.object({
  id: z.string(),
  label: z.string().nullable(),
  metadata: metadataSchema,
  imageKey: z.string().nullable(),
  width: z.number(),
  height: z.number(),
  rows: z.array(batchRowSchema)
})
export type ItemPayload = z.infer<typeof itemPayloadSchema>

export const encodePayload = (payload: ItemPayload): Buffer => Buffer.from(JSON.stringify(payload))
export const decodePayload = (body: Uint8Array): ItemPayload => itemPayloadSchema.parse(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')))

/** What filters and groups look at. */
export type Attributes = Pick<ItemPayload, 'label' | 'metadata'>
/** Unchecked: of a payload that this program wrote, when there are many. */
export const readAttributes = (body: Uint8Array): Attributes => JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')) as Attributes
