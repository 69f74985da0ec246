// Labels and metadata that items got after they were written: over a segment's payload until a merge writes them into it, and
// waiting for items of older ingestions that are still to come.
import { z } from 'zod'
import { type Metadata, metadataSchema } from '@likeness/shared/contract/item-list'
import type { RelabelOperation } from '@likeness/shared/contract/operation'
import type { Attributes } from './item-payload.ts'

/** Only the keys that replace what the payload says. Never changed: another one takes its place. */
export interface Overlay {
  label?: string | null
  metadata?: Metadata
}
const overlaySchema = z.object({ label: z.string().nullable().optional(), metadata: metadataSchema.optional() })
const overlayFileSchema = z.array(z.tuple([z.number().int().min(0), overlaySchema]))

/** By item of a segment. */
export type Overlays = Map<number, Overlay>

export const encodeOverlays = (overlays: Overlays): Uint8Array => Buffer.from(JSON.stringify([...overlays]))
export const decodeOverlays = (body: Uint8Array): Overlays => new Map(overlayFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8'))))

export const overlaid = <T extends Attributes>(item: T, overlay: Overlay | undefined): T => (overlay === undefined ? item : { ...item, ...overlay })

/** The newest of each, with its revision: an item accepted after it does not get it. */
export interface WaitingRelabel {
  label?: { value: string | null; revision: number }
  metadata?: { value: Metadata; revision: number }
}
const waitingSchema = z.object({
  label: z.object({ value: z.string().nullable(), revision: z.number().int() }).optional(),
  metadata: z.object({ value: metadataSchema, revision: z.number().int() }).optional()
})
const waitingFileSchema = z.record(z.string().regex(/^[0-9a-f]{32}$/), z.array(waitingSchema))

/** By hash name; oldest first, a new one after each deletion by filter, which asks what an item was at its revision. */
export type WaitingRelabels = Map<string, WaitingRelabel[]>

export const encodeWaiting = (waiting: WaitingRelabels): Uint8Array =>
  Buffer.from(JSON.stringify(Object.fromEntries([...waiting].map(([name, relabel]) => [Buffer.from(name, 'latin1').toString('hex'), relabel]))))
export const decodeWaiting = (body: Uint8Array): WaitingRelabels =>
  new Map(Object.entries(waitingFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))).map(([hex, relabel]) => [Buffer.from(hex, 'hex').toString('latin1'), relabel]))

export function overlayOf({ label, metadata }: Pick<RelabelOperation, 'label' | 'metadata'>): Overlay {
  return { ...(label === undefined ? {} : { label }), ...(metadata === undefined ? {} : { metadata }) }
}

/** `since`: revision of the last deletion by filter. */
export function waitLonger(before: readonly WaitingRelabel[], { label, metadata }: Overlay, { revision, since }: { revision: number; since: number }): WaitingRelabel[] {
  const last = before.at(-1)
  const open = last !== undefined && newestOf(last) > since
  const next = { ...(open ? last : {}), ...(label === undefined ? {} : { label: { value: label, revision } }), ...(metadata === undefined ? {} : { metadata: { value: metadata, revision } }) }
  return [...(open ? before.slice(0, -1) : before), next]
}

/** What an item accepted at `revision` gets, as of `until`. */
export function overlayFor(waiting: readonly WaitingRelabel[], revision: number, until = Infinity): Overlay {
  const overlay: Overlay = {}
  for (const { label, metadata } of waiting) {
    if (label !== undefined && label.revision > revision && label.revision < until) overlay.label = label.value
    if (metadata !== undefined && metadata.revision > revision && metadata.revision < until) overlay.metadata = metadata.value
  }
  return overlay
}

const newestOf = ({ label, metadata }: WaitingRelabel): number => Math.max(label?.revision ?? 0, metadata?.revision ?? 0)
export const newestRevision = (waiting: readonly WaitingRelabel[]): number => Math.max(0, ...waiting.map(newestOf))
