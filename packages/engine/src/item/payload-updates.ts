// Payload updates: new labels and metadata of items that are already written. They replace values
// of a segment's payload until a merge writes them into the payload. As pending updates they wait
// for items of older ingestions that come later.
import { z } from 'zod'
import { type Metadata, storedMetadataSchema } from '@likeness/shared/contract/item-list'
import type { RelabelOperation } from '@likeness/shared/contract/operation'
import { decodeEntries, encodeEntries } from './entry-lines.ts'
import type { Attributes } from './item-payload.ts'

/**
 * Holds only the keys that replace values of the payload. Never changed: another update takes its
 * place.
 */
export interface PayloadUpdate {
  label?: string | null
  metadata?: Metadata
}
const overlaySchema = z.strictObject({
  label: z.string().nullable().optional(),
  metadata: storedMetadataSchema.optional()
})
const overlayEntrySchema = z.tuple([z.number().int().min(0), overlaySchema])

/** Payload updates by item number in a segment. */
export type PayloadUpdates = Map<number, PayloadUpdate>

export const encodePayloadUpdates = (updates: PayloadUpdates): Uint8Array =>
  encodeEntries(
    mapped(updates, (entry) => JSON.stringify(entry)),
    '[]'
  )
export const decodePayloadUpdates = (body: Uint8Array): PayloadUpdates =>
  new Map(decodeEntries(body).map((entry) => overlayEntrySchema.parse(entry)))

export const applyUpdate = <T extends Attributes>(item: T, update: PayloadUpdate | undefined): T =>
  update === undefined ? item : { ...item, ...update }

/**
 * The newest value of each field, with its revision. An item accepted after that revision does not
 * get the value.
 */
export interface PendingUpdate {
  label?: { value: string | null; revision: number }
  metadata?: { value: Metadata; revision: number }
}
export const waitingSchema = z.strictObject({
  label: z.strictObject({ value: z.string().nullable(), revision: z.number().int() }).optional(),
  metadata: z.strictObject({ value: storedMetadataSchema, revision: z.number().int() }).optional()
})
const waitingEntrySchema = z.tuple([z.string().regex(/^[0-9a-f]{32}$/), z.array(waitingSchema)])

/** Of programs before 0.4. */
export const decodePendingUpdates = (body: Uint8Array): [string, PendingUpdate[]][] =>
  decodeEntries(body).map((entry) => {
    const [hex, updates] = waitingEntrySchema.parse(entry)
    return [Buffer.from(hex, 'hex').toString('latin1'), updates]
  })

function* mapped<T>(values: Iterable<T>, text: (value: T) => string): Generator<string> {
  for (const value of values) yield text(value)
}

export function updateOf({
  label,
  metadata
}: Pick<RelabelOperation, 'label' | 'metadata'>): PayloadUpdate {
  return {
    ...(label === undefined ? {} : { label }),
    ...(metadata === undefined ? {} : { metadata })
  }
}

/** `since`: revision of the last filter delete. */
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

/** Returns the update for an item accepted at `revision`, in the state before `until`. */
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
