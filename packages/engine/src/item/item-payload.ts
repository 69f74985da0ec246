// The payload of an item: JSON beside its columns, read by row for an answer.
import { z } from 'zod'
import { storedMetadataSchema } from '@likeness/shared/contract/item-list'
import { batchRowSchema } from '@likeness/shared/contract/vector-batch'
import { sha256Hex } from '@likeness/shared/data/sha256'

export const rawPlaceSchema = z.object({
  /** Key of the vector batch, or of the raw vectors of a pack, in the object store. */
  key: z.string(),
  /** First byte of the raw vectors; float16 [rows, dim]. */
  at: z.number().int(),
  dim: z.number().int(),
  /** First half of the sha256 of these bytes, in hex. */
  sum: z.string(),
  /**
   * Number of the item, where the collection numbers them: finds its pack when the object of `key`
   * is gone.
   */
  arrival: z.number().int().optional()
})
export type RawPlace = z.infer<typeof rawPlaceSchema>
export const rawSum = (bytes: Uint8Array): string => sha256Hex(bytes).slice(0, 32)

export const itemPayloadSchema = z.object({
  id: z.string(),
  label: z.string().nullable(),
  metadata: storedMetadataSchema,
  imageKey: z.string().nullable(),
  width: z.number(),
  height: z.number(),
  rows: z.array(batchRowSchema),
  /** Place of the raw vectors of the item's rows. Absent for vectors that were made elsewhere. */
  raws: rawPlaceSchema.optional()
})
export type ItemPayload = z.infer<typeof itemPayloadSchema>

/** As JSON.stringify does, in half of its time: there is one payload for each row of an import. */
export function encodePayload(payload: ItemPayload): Buffer {
  const { id, label, metadata, imageKey, width, height, rows, raws } = payload
  const described = `"id":${JSON.stringify(id)},"label":${textOrNull(label)},"metadata":${JSON.stringify(metadata)}`
  const picture = `"imageKey":${textOrNull(imageKey)},"width":${width},"height":${height}`
  const place = raws === undefined ? '' : `,"raws":${JSON.stringify(raws)}`
  return Buffer.from(`{${described},${picture},"rows":[${rows.map(encodeRow).join(',')}]${place}}`)
}
const textOrNull = (text: string | null): string => (text === null ? 'null' : JSON.stringify(text))
const encodeRow = ({
  kind,
  box: [x1, y1, x2, y2],
  score,
  className
}: ItemPayload['rows'][number]) =>
  `{"kind":"${kind}","box":[${x1},${y1},${x2},${y2}],"score":${score},"className":${textOrNull(className)}}`
/**
 * Reads a payload without a schema check, for speed: only payloads that this program wrote, from a
 * file whose checksum agrees.
 */
export const decodePayload = (body: Uint8Array): ItemPayload =>
  JSON.parse(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  ) as ItemPayload

/** Fields that filters and groups use. */
export type Attributes = Pick<ItemPayload, 'label' | 'metadata'>
/** A payload as it is stored, with the attributes that would be read from it. */
export const storedPayload = (
  payload: ItemPayload
): { payload: Buffer; attributes: Attributes } => {
  const { label, metadata } = payload
  return { payload: encodePayload(payload), attributes: { label, metadata } }
}
/**
 * Reads the attributes without a schema check, for speed: only for payloads that this program
 * wrote.
 */
export const readAttributes = (body: Uint8Array): Attributes =>
  JSON.parse(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  ) as Attributes
