// What a collection must hold, kept as plainly as can be: per id the newest operation wins, whenever it is applied.
import type { Metadata } from '@likeness/shared/contract/item-list'

export interface ModelItem {
  label: string | null
  metadata: Metadata
  /** Of its vectors, one a row. */
  seeds: number[]
}
export interface Change {
  label?: string | null
  metadata?: Metadata
}
interface Version {
  revision: number
  ordinal: number
}
export interface KnownItem extends ModelItem, Version {}

const isNewer = (next: Version, now: Version | undefined): boolean =>
  now === undefined || next.revision > now.revision || (next.revision === now.revision && next.ordinal > now.ordinal)

export class PlainModel {
  readonly items = new Map<string, KnownItem>()
  /** Of the newest upsert or deletion, for good. */
  private readonly newest = new Map<string, Version>()
  /** By id, in order. */
  private readonly relabels = new Map<string, { revision: number; change: Change }[]>()

  upsert(id: string, version: Version, item: ModelItem): void {
    if (!isNewer(version, this.newest.get(id))) return
    this.newest.set(id, version)
    const later = (this.relabels.get(id) ?? []).filter(({ revision }) => revision > version.revision)
    this.items.set(id, { ...item, ...version, ...Object.assign({}, ...later.map(({ change }) => change)) as Change })
  }

  remove(id: string, revision: number): void {
    const version = { revision, ordinal: 0 }
    if (!isNewer(version, this.newest.get(id))) return
    this.newest.set(id, version)
    this.items.delete(id)
  }

  relabel(id: string, revision: number, change: Change): void {
    this.relabels.set(id, [...(this.relabels.get(id) ?? []), { revision, change }])
    const item = this.items.get(id)
    if (item !== undefined && revision > item.revision) this.items.set(id, { ...item, ...change })
  }
}
