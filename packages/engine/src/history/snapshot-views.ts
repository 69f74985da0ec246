// What the snapshots of a version consist of.
import type { Base, View } from '../base/base.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { StateContent } from '../state/read-state.ts'
import { type Manifest, mustReadManifest } from '../version/manifest.ts'
import { ArrivalSet } from './arrival-set.ts'
import { arrivalsOfPacks } from './fold-packs.ts'
import { looseArrivals } from './loose-arrivals.ts'
import { SnapshotJoin } from './snapshot-join.ts'
import { type ChangedLabels, type ReadView, readView } from './view.ts'

/** A snapshot has arrivals with other numbers than the version, and they cannot be found. */
export class OtherNumbers extends Error {
  readonly snapshot: string
  constructor(snapshot: string) {
    super(`the arrivals of snapshot ${snapshot} have other numbers`)
    this.snapshot = snapshot
  }
}

export interface SnapshotView {
  /** Revision of the snapshot. */
  key: string
  entry: Base['snapshots'][string]
  live: ArrivalSet
}

interface Snapshots {
  version: Manifest
  previous: Base | null
  /** State lines of the version. */
  content: StateContent
  changed: ChangedLabels
  write: (name: string, view: ReadView) => Promise<View>
}

/** What a snapshot holds never changes: it is read once. Throws OtherNumbers. */
export async function snapshotViews(
  deps: WorkSource & { files: SegmentFiles },
  snapshots: Snapshots
): Promise<SnapshotView[]> {
  const { files, store } = deps
  const { version, previous, changed, write } = snapshots
  const views: SnapshotView[] = []
  const joins = new Map<string, SnapshotJoin>()
  const viewed = async (name: string, read: ReadView): Promise<SnapshotView> => {
    const record = version.snapshots[name]!
    const key = String(record.revision)
    return { key, live: read.live, entry: { name, record, view: await write(key, read) } }
  }
  for (const [name, record] of Object.entries(version.snapshots)) {
    const key = String(record.revision)
    const known = previous?.snapshots[key]
    if (known !== undefined) {
      const live = ArrivalSet.decode(await files.get(known.view.live))
      views.push({ key, live, entry: { name, record, view: known.view } })
      continue
    }
    const held = await mustReadManifest(store, record.manifest, record.sha256)
    if (held.history?.numbering !== version.history!.numbering)
      joins.set(name, await SnapshotJoin.open(files, held.segments))
    else views.push(await viewed(name, await readView(files, held.segments, changed)))
  }
  await showAll([...joins.values()], deps, snapshots)
  for (const [name, join] of joins) {
    if (!join.isWhole) throw new OtherNumbers(name)
    views.push(await viewed(name, join.view))
  }
  return views
}

/** Shows all arrivals to snapshots with other numbers. */
async function showAll(
  joins: readonly SnapshotJoin[],
  deps: WorkSource,
  { version, previous, content }: Snapshots
): Promise<void> {
  if (joins.length === 0) return
  for await (const { arrival } of arrivalsOfPacks(deps.store, previous?.packs ?? []))
    for (const join of joins) join.see(arrival)
  // Items of a batch that is damaged are not found: the snapshot then says so.
  const onDamage = async function* () {}
  for await (const { arrival } of looseArrivals(deps, { version, content, onDamage }))
    for (const join of joins) join.see(arrival)
}
