/** A map that knows which keys have changed since the last commit. */
export class TrackedMap<V> {
  private readonly values: Map<string, V>
  private readonly changed = new Set<string>()
  private replaced: boolean

  /** `committed`: undefined for a map that no version has, so that all of it is to be written. */
  constructor(committed?: Iterable<readonly [string, V]>) {
    this.values = new Map(committed ?? [])
    this.replaced = committed === undefined
  }

  /** Makes a map that no version has, so that all of it is to be written. */
  static uncommitted<V>(values: Iterable<readonly [string, V]>): TrackedMap<V> {
    const map = new TrackedMap<V>()
    for (const [key, value] of values) map.set(key, value)
    return map
  }

  get size(): number {
    return this.values.size
  }

  /** Whether the keys of the committed version are not known here: all is to be written. */
  get isReplaced(): boolean {
    return this.replaced
  }

  get(key: string): V | undefined {
    return this.values.get(key)
  }

  set(key: string, value: V): void {
    this.load(key, value)
    this.changed.add(key)
  }

  /** Sets a value that the committed version has. */
  load(key: string, value: V): void {
    this.values.set(key, value)
  }

  delete(key: string): boolean {
    if (!this.values.delete(key)) return false
    this.changed.add(key)
    return true
  }

  clear(): void {
    if (this.size > 0) this.replaced = true
    this.values.clear()
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.values[Symbol.iterator]()
  }

  /** Yields what has changed; undefined for a key that is gone. */
  *changes(): Generator<[string, V | undefined]> {
    for (const key of this.changed) yield [key, this.values.get(key)]
  }

  /** Call this after a commit has written the changes. */
  settle(): void {
    this.changed.clear()
    this.replaced = false
  }
}
