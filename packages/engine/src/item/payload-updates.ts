// Labels and metadata that items got after they were written: over a segment's payload until a merge writes them into it, and
// waiting for items of older ingestions that are still to come.
import { z } from 'zod'
import { type Metadata, metadataSchema } from '@likeness/shared/contract/item-list'
import type { RelabelOperation } from '@likeness/shared/contract/operation'
import type { Attributes } from './item-payload.ts'

/** Only the keys that replace what the payload says. Never changed: another one takes its place. */
export interface PayloadUpdate {
  label?: string | null
  metadata?: Metadata
}
const overlaySchema = z.object({
  label: z.string().nullable().optional(),
  metadata: metadataSchema.optional()
})
const overlayFileSchema = z.array(z.tuple([z.number().int().min(0), overlaySchema]))

/** By item of a segment. */
export type PayloadUpdates = Map<number, PayloadUpdate>

export const encodePayloadUpdates = (updates: PayloadUpdates): Uint8Array =>
  Buffer.from(JSON.stringify([...updates]))
export const decodePayloadUpdates = (body: Uint8Array): PayloadUpdates =>
  new Map(overlayFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8'))))

export const applyUpdate = <T extends Attributes>(item: T, update: PayloadUpdate | undefined): T =>
  update === undefined ? item : { ...item, ...update }

/** The newest of each, with its revision: an item accepted after it does not get it. */
export interface PendingUpdate {
  label?: { value: string | null; revision: number }
  metadata?: { value: Metadata; revision: number }
}
const waitingSchema = z.object({
  label: z.object({ value: z.string().nullable(), revision: z.number().int() }).optional(),
  metadata: z.object({ value: metadataSchema, revision: z.number().int() }).optional()
})
const waitingFileSchema = z.record(z.string().regex(/^[0-9a-f]{32}$/), z.array(waitingSchema))

/** By hash name; oldest first, a new one after each deletion by filter, which asks what an item was at its revision. */
export type PendingUpdates = Map<string, PendingUpdate[]>

export const encodePendingUpdates = (waiting: PendingUpdates): Uint8Array =>
  Buffer.from(
    JSON.stringify(
      Object.fromEntries(
        [...waiting].map(([name, relabel]) => [
          Buffer.from(name, 'latin1').toString('hex'),
          relabel
        ])
      )
    )
  )
export const decodePendingUpdates = (body: Uint8Array): PendingUpdates =>
  new Map(
    Object.entries(waitingFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))).map(
      ([hex, relabel]) => [Buffer.from(hex, 'hex').toString('latin1'), relabel]
    )
  )

export function updateOf({
  label,
  metadata
}: Pick<RelabelOperation, 'label' | 'metadata'>): PayloadUpdate {
  return {
    ...(label === undefined ? {} : { label }),
    ...(metadata === undefined ? {} : { metadata })
  }
}

/** `since`: revision of the last deletion by filter. */
export function addPendingUpdate(
  before: readonly PendingUpdate[],
  { label, metadata }: PayloadUpdate,
  { revision, since }: { revision: number; since: number }
): PendingUpdate[] {
  const last = before.at(-1)
  const open = last !== undefined && newestOf(last) > since
  const next = {
    ...(open ? last : {}),
    ...(label === undefined ? {} : { label: { value: label, revision } }),
    ...(metadata === undefined ? {} : { metadata: { value: metadata, revision } })
  }
  return [...(open ? before.slice(0, -1) : before), next]
}

/** What an item accepted at `revision` gets, as of `until`. */
export function pendingUpdateFor(
  waiting: readonly PendingUpdate[],
  revision: number,
  until = Infinity
): PayloadUpdate {
  const update: PayloadUpdate = {}
  for (const { label, metadata } of waiting) {
    if (label !== undefined && label.revision > revision && label.revision < until)
      update.label = label.value
    if (metadata !== undefined && metadata.revision > revision && metadata.revision < until)
      update.metadata = metadata.value
  }
  return update
}

const newestOf = ({ label, metadata }: PendingUpdate): number =>
  Math.max(label?.revision ?? 0, metadata?.revision ?? 0)
export const newestRevision = (waiting: readonly PendingUpdate[]): number =>
  Math.max(0, ...waiting.map(newestOf))
