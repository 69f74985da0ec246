// Arrivals of a batch that is damaged, taken from the segments of a version and of its snapshots: with
// the labels that they have by now, and without raw vectors.
import type { ObjectStore } from '@likeness/store/object-store'
import type { Arrival } from '../base/pack.ts'
import { decodeArrivals } from '../segment/item-table.ts'
import { openSegment } from '../segment/open-segment.ts'
import { liveItemsOf, readItems } from '../segment/read-items.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { LooseBatch } from '../state/history.ts'
import { type Manifest, type ManifestSegment, mustReadManifest } from '../version/manifest.ts'
import type { FromOrigin } from './pack-arrivals.ts'

export interface SegmentSource {
  store: ObjectStore
  files: SegmentFiles
}

/** Yields the arrivals of a batch that a segment has, in their order. Throws data_corrupt. */
export async function* arrivalsOfSegments(
  { store, files }: SegmentSource,
  version: Manifest,
  { first, items: count }: Pick<LooseBatch, 'first' | 'items'>
): AsyncGenerator<FromOrigin> {
  const found = new Map<number, Arrival>()
  const {
    collectionId,
    embedding: { version: embeddingVersion, dim }
  } = version.spec
  const isWanted = (arrival: number): boolean =>
    arrival >= first && arrival < first + count && !found.has(arrival)
  for (const ref of await segmentsOf(store, version)) {
    const segment = await openSegment(files, ref)
    const arrivals = decodeArrivals(await files.get(ref.files.meta))
    const items = [...liveItemsOf(segment)].filter((item) => isWanted(arrivals[item]!))
    if (items.length === 0) continue
    const { revision, ordinal } = segment.meta
    for await (const { item, payload, vectors } of readItems(files, segment, { items, dim })) {
      const arrival = arrivals[item]!
      const { raws: _raws, ...own } = payload
      found.set(arrival, {
        arrival,
        revision: revision[item]!,
        item: { ...own, ordinal: ordinal[item]! },
        vectors,
        raw: new Uint16Array(0)
      })
    }
  }
  const origin = { collectionId, embeddingVersion, dim, rawDim: 0 }
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
