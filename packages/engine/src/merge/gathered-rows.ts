// Collects rows that come one at a time into pieces.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { denseRows, joinRows, type VectorRows } from '@likeness/shared/contract/vector-rows'

export class GatheredRows {
  private readonly dim: number
  private readonly sparse: boolean
  private readonly most: number
  private rows = 0
  private dense: Float32Array
  private parts: VectorRows[] = []

  constructor({ dim, sparse }: EmbeddingSpec, most: number) {
    this.dim = dim
    this.sparse = sparse === true
    this.most = most
    this.dense = this.emptyPiece()
  }

  private emptyPiece(): Float32Array {
    return new Float32Array(this.sparse ? 0 : this.most * this.dim)
  }

  get isEmpty(): boolean {
    return this.rows === 0
  }

  get isFull(): boolean {
    return this.rows === this.most
  }

  add(row: VectorRows): void {
    if (this.sparse) this.parts.push(row)
    else this.dense.set(denseRows(row), this.rows * this.dim)
    this.rows++
  }

  /** Returns all collected rows. The next row begins a new piece. */
  take(): VectorRows {
    const piece = this.sparse ? joinRows(this.parts) : this.dense.subarray(0, this.rows * this.dim)
    this.parts = []
    this.dense = this.emptyPiece()
    this.rows = 0
    return piece
  }
}
