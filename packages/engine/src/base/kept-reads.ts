// Immutable objects that are kept in memory, up to a number of bytes. Calls that want one at the
// same time share its read.
import { LRUCache } from 'lru-cache'
import type { FileRef } from '../state/file-ref.ts'

export class KeptReads<T extends object> {
  private readonly kept: LRUCache<string, T>
  private readonly running = new Map<string, Promise<T>>()
  private readonly read: (ref: FileRef) => Promise<T>

  /** `maxBytes`: of the files whose content is kept. */
  constructor(maxBytes: number, read: (ref: FileRef) => Promise<T>) {
    this.kept = new LRUCache({ maxSize: maxBytes })
    this.read = read
  }

  async get(ref: FileRef): Promise<T> {
    return this.kept.get(ref.key) ?? this.running.get(ref.key) ?? (await this.start(ref))
  }

  private async start(ref: FileRef): Promise<T> {
    const reading = this.read(ref)
    this.running.set(ref.key, reading)
    try {
      const content = await reading
      this.kept.set(ref.key, content, { size: ref.sizeBytes + 1 })
      return content
    } finally {
      this.running.delete(ref.key)
    }
  }
}
