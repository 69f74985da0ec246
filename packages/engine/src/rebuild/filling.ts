/** Rows of a segment that is written while a state is made again. */
const defaultRowsPerSegment = 20_000
/**
 * Bytes of the items of a segment, counted as their batches have them. A segment that is written
 * needs three times as much: the items, their rows side by side, and the index.
 */
const bytesPerSegment = 64 * 1024 * 1024

/** Counts the pending items, and writes them when they are enough for a segment. */
export class Filling {
  private readonly rowsPerSegment: number
  private readonly write: () => Promise<void>
  private rows = 0
  private bytes = 0

  constructor(
    { rowsPerSegment = defaultRowsPerSegment }: { rowsPerSegment?: number | undefined },
    write: () => Promise<void>
  ) {
    this.rowsPerSegment = rowsPerSegment
    this.write = write
  }

  async add(rows: number, bytes: number): Promise<void> {
    this.rows += rows
    this.bytes += bytes
    if (this.rows < this.rowsPerSegment && this.bytes < bytesPerSegment) return
    await this.write()
    this.rows = 0
    this.bytes = 0
  }
}
