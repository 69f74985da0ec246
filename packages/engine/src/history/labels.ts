// Labels and metadata that differ from what arrived. Facts of an arrival never change, so that a
// snapshot gets the label that it had; what changed stands beside the packs.
import { z } from 'zod'
import { decodeLines, encodeLines } from '@likeness/shared/contract/checked-object'
import { type Metadata, storedMetadataSchema } from '@likeness/shared/contract/item-list'

export interface Label {
  label: string | null
  metadata: Metadata
}
/** By arrival. */
export type Labels = Map<number, Label>

const lineSchema = z.tuple([z.number().int(), z.string().nullable(), storedMetadataSchema])

export const encodeLabels = (labels: Labels): Uint8Array =>
  encodeLines(Array.from(labels, ([arrival, { label, metadata }]) => [arrival, label, metadata]))

/** Throws data_corrupt, or unsupported_store for a newer format. */
export const decodeLabels = (key: string, body: Uint8Array): Labels =>
  new Map(
    decodeLines(lineSchema, key, body).map(([arrival, label, metadata]) => [
      arrival,
      { label, metadata }
    ])
  )
