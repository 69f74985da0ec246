// The file of full vectors beside an index, dense or sparse. Written whole or in pieces, read by
// row.
import { isSparse, type VectorRows } from '@likeness/shared/contract/vector-rows'
import type { ManifestSegment } from '../version/manifest.ts'
import type { ByteReader } from './byte-reader.ts'
import { SparseRowEncoder, SparseRowFile } from './sparse-row-file.ts'
import { encodeVectors, VectorFile } from './vector-file.ts'

export interface RowFile {
  /** Returns the rows in the requested order. */
  read(rows: Int32Array): Promise<VectorRows>
  close(): Promise<void>
}

export function encodeRowFile(rows: VectorRows): Uint8Array {
  if (!isSparse(rows)) return encodeVectors(rows)
  const encoder = new SparseRowEncoder()
  return Buffer.concat([encoder.encode(rows), encoder.end()])
}

/** Yields the bytes of the same file. Pieces are in row order, all dense or all sparse. */
export async function* rowFileBytes(pieces: AsyncIterable<VectorRows>): AsyncGenerator<Uint8Array> {
  let sparse: SparseRowEncoder | undefined
  for await (const piece of pieces)
    yield isSparse(piece) ? (sparse ??= new SparseRowEncoder()).encode(piece) : encodeVectors(piece)
  if (sparse !== undefined) yield sparse.end()
}

/**
 * Opens the rows of a file; closing them closes `file`. Throws data_corrupt when the file does not
 * hold the rows of the segment.
 */
export async function openRowFile(
  file: ByteReader,
  { index, rows }: ManifestSegment,
  { dim, sizeBytes }: { dim: number; sizeBytes: number }
): Promise<RowFile> {
  return index === 'inverted'
    ? await SparseRowFile.open(file, { rows, sizeBytes })
    : new VectorFile(file, { rows, dim, sizeBytes })
}
