// Sums of the blocks of a file. They are made when the whole file is checked. Each piece that is
// read later is compared with them.

/**
 * Size of a block. Reads are some hundred bytes of a payload, some kilobytes of vectors. The sums
 * take .4 % of the file in memory.
 */
export const blockBytes = 1024
const wordsPerBlock = blockBytes / 4

/**
 * Sum of a block, 32 bits. Every step is a bijection of the sum so far, so one changed word always
 * changes the sum. Not a protection against attacks: the sha256 is for that.
 */
function sumOf(words: Uint32Array, first: number): number {
  let sum = 0x811c9dc5
  for (let i = first; i < first + wordsPerBlock; i++) {
    sum = Math.imul(sum ^ words[i]!, 0x01000193)
    sum ^= sum >>> 15
  }
  return sum | 0
}

/** Buffer for whole blocks, with zeros after the end of the file. */
export const blockBuffer = (blocks: number): Uint8Array => new Uint8Array(blocks * blockBytes)
const wordsOf = (blocks: Uint8Array): Uint32Array =>
  new Uint32Array(blocks.buffer, blocks.byteOffset, blocks.byteLength / 4)

/** Takes a file in pieces of any size. */
export class BlockSums {
  private sums = new Int32Array(16)
  private count = 0
  private readonly block = blockBuffer(1)
  private filled = 0
  sizeBytes = 0

  update(piece: Uint8Array): void {
    this.sizeBytes += piece.byteLength
    for (let at = 0; at < piece.byteLength; ) {
      const taken = Math.min(blockBytes - this.filled, piece.byteLength - at)
      this.block.set(piece.subarray(at, at + taken), this.filled)
      at += taken
      this.filled += taken
      if (this.filled === blockBytes) this.closeBlock()
    }
  }

  /** Call this after the last piece. */
  end(): void {
    if (this.filled > 0) this.closeBlock()
  }

  private closeBlock(): void {
    if (this.count === this.sums.length) {
      const wider = new Int32Array(2 * this.count)
      wider.set(this.sums)
      this.sums = wider
    }
    this.sums[this.count++] = sumOf(wordsOf(this.block), 0)
    this.block.fill(0)
    this.filled = 0
  }

  /** The sums of all blocks, for `of`. */
  bytes(): Uint8Array {
    return new Uint8Array(this.sums.buffer, 0, 4 * this.count)
  }

  /** Returns undefined when the bytes are not the sums of a file of this size. */
  static of(bytes: Uint8Array, sizeBytes: number): BlockSums | undefined {
    const count = Math.ceil(sizeBytes / blockBytes)
    if (bytes.byteLength !== 4 * count) return undefined
    const kept = new BlockSums()
    kept.sums = new Int32Array(new Uint8Array(bytes).buffer)
    kept.count = count
    kept.sizeBytes = sizeBytes
    return kept
  }

  /** Whether whole blocks are unchanged. The first of them is block `first` of the file. */
  agree(blocks: Uint8Array, first: number): boolean {
    const words = wordsOf(blocks)
    for (let i = 0; i * wordsPerBlock < words.length; i++)
      if (sumOf(words, i * wordsPerBlock) !== this.sums[first + i]) return false
    return true
  }
}
