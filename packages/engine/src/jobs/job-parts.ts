// Parts of job lines and pages of jobs, kept in memory between answers. They are immutable.
import { LRUCache } from 'lru-cache'
import type { ObjectStore } from '@likeness/store/object-store'
import { decodePage, type IngestionRecord } from '../state/job-record.ts'
import { readPart } from '../state/read-state.ts'
import {
  decodeStateLines,
  lineName,
  type StateKind,
  type StateLine,
  type StateRef,
  type ValueOf
} from '../state/state-lines.ts'
import type { FileRef } from '../state/file-ref.ts'

/** Bytes of the files whose content is kept. In memory they are some five times as large. */
const keptBytes = 16 * 1024 * 1024

/** Lines of the newest commits by name: those that are not in the base. */
export type Overlay = ReadonlyMap<string, StateLine>

export class JobParts {
  private readonly store: ObjectStore
  private readonly lines = new LRUCache<string, Overlay>({ maxSize: keptBytes })
  private readonly pages = new LRUCache<string, IngestionRecord[]>({ maxSize: keptBytes })

  constructor(store: ObjectStore) {
    this.store = store
  }

  /** Returns what deltas and recent lines say. Throws object_not_found when the version is gone. */
  async overlay({ deltas, recent }: StateRef): Promise<Overlay> {
    const overlay = new Map<string, StateLine>()
    for (const lines of await Promise.all(deltas.map((ref) => this.part(ref))))
      for (const [name, line] of lines) overlay.set(name, line)
    for (const line of recent) overlay.set(lineName(line), line)
    return overlay
  }

  /** Returns the value of a key. Reads a single part of the base. */
  async find<K extends StateKind>(
    state: StateRef,
    kind: K,
    key: string
  ): Promise<ValueOf<K> | undefined> {
    const name = lineName({ kind, key })
    const line =
      state.recent.findLast((one) => lineName(one) === name) ??
      (await this.findInDeltas(state, name)) ??
      (await this.baseParts(state, name, `${name}~`))[0]?.get(name)
    return (line?.value ?? undefined) as ValueOf<K> | undefined
  }

  private async findInDeltas({ deltas }: StateRef, name: string): Promise<StateLine | undefined> {
    for (const ref of deltas.toReversed()) {
      const line = (await this.part(ref)).get(name)
      if (line !== undefined) return line
    }
    return undefined
  }

  /** Returns the values of a kind. `overlay`: that of the version. */
  async all<K extends StateKind>(
    state: StateRef,
    kind: K,
    overlay: Overlay
  ): Promise<ValueOf<K>[]> {
    const found = new Map<string, StateLine>()
    const add = (line: StateLine) => line.kind === kind && found.set(line.key, line)
    for (const lines of await this.baseParts(state, `${kind}/`, `${kind}0`)) lines.forEach(add)
    for (const line of overlay.values()) add(line)
    return [...found.values()].flatMap(({ value }) => (value === null ? [] : [value as ValueOf<K>]))
  }

  /** Reads the parts of the base that have names in [from, until). */
  private async baseParts({ base }: StateRef, from: string, until: string): Promise<Overlay[]> {
    const parts = base.filter(
      ({ first }, at) => first < until && (base[at + 1]?.first ?? '~') > from
    )
    return await Promise.all(parts.map((ref) => this.part(ref)))
  }

  async part(ref: FileRef): Promise<Overlay> {
    const { key, sizeBytes } = ref
    const known = this.lines.get(key)
    if (known !== undefined) return known
    const lines = decodeStateLines(key, await readPart(this.store, ref))
    const part = new Map(lines.map((line) => [lineName(line), line]))
    this.lines.set(key, part, { size: sizeBytes + 1 })
    return part
  }

  /** Returns the jobs of a page by revision. */
  async page(ref: FileRef): Promise<IngestionRecord[]> {
    const { key, sizeBytes } = ref
    const known = this.pages.get(key)
    if (known !== undefined) return known
    const jobs = decodePage(key, await readPart(this.store, ref))
    // A page is packed to a tenth.
    this.pages.set(key, jobs, { size: 10 * sizeBytes + 1 })
    return jobs
  }
}
