// Objects in the simulated store at this moment, without any faults: the truth that the oracle
// reads.
import type { PutCondition } from '@likeness/store/object-store'

export interface TableEntry {
  body: Uint8Array
  etag: string
}

/** Called at the moment when a key changes; `entry` undefined: deleted. */
export type OnChange = (key: string, entry: TableEntry | undefined) => void

export class ObjectTable {
  private readonly objects = new Map<string, TableEntry>()
  private readonly onChange: OnChange
  private readonly contentEtags: boolean
  private writes = 0
  private sorted: string[] | undefined

  /**
   * `contentEtags`: equal bytes have equal etags, like on S3. Otherwise every write has a different
   * etag, like in a directory.
   */
  constructor(onChange: OnChange, contentEtags: boolean) {
    this.onChange = onChange
    this.contentEtags = contentEtags
  }

  get(key: string): TableEntry | undefined {
    return this.objects.get(key)
  }

  put(key: string, body: Uint8Array): { etag: string } {
    const etag = this.contentEtags ? Buffer.from(body).toString('base64') : `e${++this.writes}`
    const entry = { body, etag }
    if (!this.objects.has(key)) this.sorted = undefined
    this.objects.set(key, entry)
    this.onChange(key, entry)
    return { etag }
  }

  putIf(key: string, body: Uint8Array, condition: PutCondition): { etag: string } | undefined {
    const now = this.objects.get(key)
    const holds = 'create' in condition ? now === undefined : now?.etag === condition.ifMatch
    return holds ? this.put(key, body) : undefined
  }

  delete(keys: readonly string[]): void {
    for (const key of keys) {
      if (!this.objects.delete(key)) continue
      this.sorted = undefined
      this.onChange(key, undefined)
    }
  }

  /** Returns up to `limit` keys under a prefix, after `startAfter`, ascending. */
  page(prefix: string, startAfter: string, limit: number): string[] {
    this.sorted ??= [...this.objects.keys()].sort()
    const keys = this.sorted
    const from = startAfter >= prefix ? startAfter : prefix
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (keys[middle]! < from || keys[middle] === startAfter) low = middle + 1
      else high = middle
    }
    const found: string[] = []
    for (let i = low; i < keys.length && found.length < limit && keys[i]!.startsWith(prefix); i++)
      found.push(keys[i]!)
    return found
  }
}
