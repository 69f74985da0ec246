// The arrivals of a snapshot whose items have no numbers, or other ones than the version: a program
// before 0.4 took it, or the numbers were lost with a manifest. Its items say which ordinal of which
// operation they are, and so do arrivals.
import { hashName, itemHash } from '../item/item-hash.ts'
import type { Arrival } from '../base/pack.ts'
import { hashOf } from '../segment/item-table.ts'
import { openSegment } from '../segment/open-segment.ts'
import { liveItemsOf, readPayloads } from '../segment/read-items.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { ArrivalSet } from './arrival-set.ts'
import type { Label, Labels } from './labels.ts'
import type { ReadView } from './view.ts'

interface Wanted extends Label {
  revision: number
  ordinal: number
}

export class SnapshotJoin {
  readonly view: ReadView = { live: new ArrivalSet(), labels: new Map() as Labels }
  /** Items that have not come yet, by hash. */
  private readonly wanted: Map<string, Wanted>

  private constructor(wanted: Map<string, Wanted>) {
    this.wanted = wanted
  }

  /** Reads the items of a snapshot. All of them are in memory: it is done once for a snapshot. */
  static async open(
    files: SegmentFiles,
    segments: readonly ManifestSegment[]
  ): Promise<SnapshotJoin> {
    const wanted = new Map<string, Wanted>()
    for (const ref of segments) {
      const segment = await openSegment(files, { ...ref, restored: undefined })
      const { meta } = segment
      for await (const { item, payload } of readPayloads(files, segment, liveItemsOf(segment))) {
        const { label, metadata } = payload
        wanted.set(hashName(hashOf(meta, item)), {
          revision: meta.revision[item]!,
          ordinal: meta.ordinal[item]!,
          label,
          metadata
        })
      }
    }
    return new SnapshotJoin(wanted)
  }

  /** Call this for each arrival. */
  see({ arrival, revision, item }: Arrival): void {
    const hash = hashName(itemHash(item.id))
    const wanted = this.wanted.get(hash)
    if (wanted?.revision !== revision || wanted.ordinal !== item.ordinal) return
    this.wanted.delete(hash)
    const { live, labels } = this.view
    live.add(arrival)
    const { label, metadata } = wanted
    if (textOf({ label, metadata }) !== textOf(item)) labels.set(arrival, { label, metadata })
  }

  /**
   * Whether all items were found. An item that a restore brought back may have lost its operation, when
   * it was merged.
   */
  get isWhole(): boolean {
    return this.wanted.size === 0
  }
}

const textOf = ({ label, metadata }: Partial<Label>): string =>
  JSON.stringify([label ?? null, metadata ?? {}])
