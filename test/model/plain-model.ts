// Expected content of a collection in the simplest form: all changes of an id, in the order of
// acceptance. The model may learn them at any time.
import type { Metadata } from '@likeness/shared/contract/item-list'

export interface ModelItem {
  label: string | null
  metadata: Metadata
  /** Seeds of the vectors, one per row. */
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
export interface KeptVersion {
  /** Revision of the operation that took the snapshot. */
  revision: number
  items: ReadonlyMap<string, KnownItem>
}

interface Event extends Version {
  /** Returns the item after the change. */
  effect: (now: KnownItem | undefined, id: string) => KnownItem | undefined
}
const inOrder = (a: Event, b: Event): number => a.revision - b.revision || a.ordinal - b.ordinal

export class PlainModel {
  readonly items = new Map<string, KnownItem>()
  /** Snapshots by name. */
  readonly snapshots = new Map<string, KeptVersion>()
  private readonly events = new Map<string, Event[]>()
  /** Changes of all items. */
  private readonly common: Event[] = []

  private happened(id: string, event: Event): void {
    this.events.set(id, [...(this.events.get(id) ?? []), event])
    this.tell(id)
  }

  private happenedToAll(event: Event): void {
    this.common.push(event)
    for (const id of this.events.keys()) this.tell(id)
  }

  private tell(id: string): void {
    let now: KnownItem | undefined
    for (const { effect } of [...this.events.get(id)!, ...this.common].sort(inOrder))
      now = effect(now, id)
    if (now === undefined) this.items.delete(id)
    else this.items.set(id, now)
  }

  upsert(id: string, version: Version, item: ModelItem): void {
    this.happened(id, { ...version, effect: () => ({ ...item, ...version }) })
  }

  remove(id: string, revision: number): void {
    this.happened(id, { revision, ordinal: 0, effect: () => undefined })
  }

  relabel(id: string, revision: number, change: Change): void {
    this.happened(id, { revision, ordinal: 0, effect: (now) => now && { ...now, ...change } })
  }

  /** Removes matching items. Returns the number of existing items that were removed. */
  removeWhere(matches: (item: KnownItem) => boolean, revision: number): number {
    const { size } = this.items
    this.happenedToAll({
      revision,
      ordinal: 0,
      effect: (now) => (now === undefined || matches(now) ? undefined : now)
    })
    return size - this.items.size
  }

  keep(name: string, revision: number): void {
    this.snapshots.set(name, { revision, items: new Map(this.items) })
  }

  restore({ items }: KeptVersion, revision: number): void {
    this.happenedToAll({
      revision,
      ordinal: 0,
      effect: (_, id) => (items.has(id) ? { ...items.get(id)!, revision } : undefined)
    })
  }
}
