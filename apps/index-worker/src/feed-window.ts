// A window over the oldest open ingestions of one kind: their chunks are in the queue. An ingestion
// leaves the window when all of it is taken in. Then the next one comes in.
import type { CollectionWriter } from '@likeness/engine'

type Named = ReturnType<CollectionWriter['openAfter']> extends Iterable<infer T> ? T : never

/** A chunk whose job was put into the queue. */
export interface Fed {
  feeding: number
  checkedAtMs: number
  goneSinceMs: number | undefined
}

/** A chunk that is not taken in whole. */
export interface WindowChunk {
  ingestion: string
  record: Named['open']['record']
  firstOrdinal: number
  size: number
  /** Absent: the chunk was not fed yet. */
  fed: Fed | undefined
  setFed(fed: Fed): void
}

interface Entry extends Named {
  /** All chunks below this ordinal are taken in. */
  from: number
  /** By first ordinal. */
  fed: Map<number, Fed>
}

export interface WindowOptions {
  /** Most ingestions of the window. */
  ingestions: number
  /** Most chunks of each at a time. */
  chunks: number
  accepts: (record: Named['open']['record']) => boolean
}

export class FeedWindow {
  private readonly options: WindowOptions
  private readonly entries = new Map<string, Entry>()
  /** Ingestions up to this revision were in the window, or are not of its kind. */
  private movedTo = 0

  constructor(options: WindowOptions) {
    this.options = options
  }

  get isEmpty(): boolean {
    return this.entries.size === 0
  }

  /** Lets go of ingestions that are done, and takes the next ones. */
  move(writer: Pick<CollectionWriter, 'openAfter'>): void {
    for (const [ingestion, { open }] of this.entries)
      if (isDone(open)) this.entries.delete(ingestion)
    const { ingestions, accepts } = this.options
    if (this.entries.size >= ingestions) return
    for (const { ingestion, open } of writer.openAfter(this.movedTo)) {
      const { record } = open
      // Ingestions with supplied vectors have no pictures to embed.
      const isWanted = accepts(record) && record.given !== true && !isDone(open)
      if (isWanted && this.entries.size >= ingestions) return
      this.movedTo = record.revision
      if (isWanted) this.entries.set(ingestion, { ingestion, open, from: 0, fed: new Map() })
    }
  }

  /** Returns the first open chunks of each ingestion. */
  openChunks(): WindowChunk[] {
    return [...this.entries.values()].flatMap((entry) => this.chunksOf(entry))
  }

  private chunksOf(entry: Entry): WindowChunk[] {
    const {
      ingestion,
      fed,
      open: { record, done }
    } = entry
    const chunks: WindowChunk[] = []
    for (
      let first = entry.from;
      first < record.total && chunks.length < this.options.chunks;
      first += record.partSize
    ) {
      const size = Math.min(record.partSize, record.total - first)
      if (done.countWithin(first, size) === size) {
        fed.delete(first)
        if (first === entry.from) entry.from += record.partSize
        continue
      }
      const setFed = (next: Fed): void => void fed.set(first, next)
      chunks.push({ ingestion, record, firstOrdinal: first, size, fed: fed.get(first), setFed })
    }
    return chunks
  }
}

const isDone = ({ record, done }: Named['open']): boolean =>
  record.completedSeq !== null || done.count >= record.total
