// Arrivals of a batch that is damaged, taken from the segments of a version and of its snapshots: with
// the labels that they have by now, and without raw vectors.
import { joinRows, type VectorRows } from '@likeness/shared/contract/vector-rows'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Arrival, Origin } from '../base/pack.ts'
import { decodePayload } from '../item/item-payload.ts'
import { applyUpdate } from '../item/payload-updates.ts'
import { decodeArrivals } from '../segment/item-table.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import { PayloadCursor, RowCursor } from '../segment/segment-cursors.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { LooseBatch } from '../state/history.ts'
import { type Manifest, type ManifestSegment, mustReadManifest } from '../version/manifest.ts'

export interface SegmentSource {
  store: ObjectStore
  files: SegmentFiles
}

/** Yields the arrivals of a batch that a segment has, in their order. Throws data_corrupt. */
export async function* arrivalsOfSegments(
  { store, files }: SegmentSource,
  version: Manifest,
  { first, items }: Pick<LooseBatch, 'first' | 'items'>
): AsyncGenerator<{ origin: Origin; arrival: Arrival }> {
  const found = new Map<number, Arrival>()
  const { collectionId, embedding } = version.spec
  const isWanted = (arrival: number): boolean =>
    arrival >= first && arrival < first + items && !found.has(arrival)
  for (const ref of await segmentsOf(store, version)) {
    const segment = await openSegment(files, ref)
    const arrivals = decodeArrivals(await files.get(ref.files.meta))
    const places = [...arrivals.keys()].filter(
      (item) => isWanted(arrivals[item]!) && !segment.deleted.has(segment.meta.firstRow[item]!)
    )
    if (places.length > 0)
      for await (const [item, arrival] of readItems(files, segment, places, embedding.dim))
        found.set(arrivals[item]!, { ...arrival, arrival: arrivals[item]! })
  }
  const origin = {
    collectionId,
    embeddingVersion: embedding.version,
    dim: embedding.dim,
    rawDim: 0
  }
  for (const arrival of [...found.values()].sort((a, b) => a.arrival - b.arrival))
    yield { origin, arrival }
}

/** Segments with the numbers of the version, each once: first those of the version itself. */
async function segmentsOf(store: ObjectStore, version: Manifest): Promise<ManifestSegment[]> {
  const segments = [...version.segments]
  for (const { manifest, sha256 } of Object.values(version.snapshots)) {
    const held = await mustReadManifest(store, manifest, sha256)
    if (held.history?.numbering === version.history?.numbering) segments.push(...held.segments)
  }
  return segments
}

async function* readItems(
  files: SegmentFiles,
  segment: OpenSegment,
  places: readonly number[],
  dim: number
): AsyncGenerator<[item: number, arrival: Omit<Arrival, 'arrival'>]> {
  const { meta, updates } = segment
  const payloads = await PayloadCursor.open(files, segment)
  try {
    const rows = await RowCursor.open(files, segment, dim)
    try {
      for (const item of places) {
        const payload = decodePayload(await payloads.read(item))
        const { raws: _raws, ...own } = { ...payload, ...applyUpdate(payload, updates.get(item)) }
        const parts: VectorRows[] = []
        for (let row = meta.firstRow[item]!; row < meta.firstRow[item + 1]!; row++)
          parts.push(await rows.read(row))
        const arrival = {
          revision: meta.revision[item]!,
          item: { ...own, ordinal: meta.ordinal[item]! },
          vectors: joinRows(parts),
          raw: new Uint16Array(0)
        }
        yield [item, arrival]
      }
    } finally {
      await rows.close()
    }
  } finally {
    await payloads.close()
  }
}
