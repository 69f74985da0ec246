import type { VectorRows } from '@likeness/shared/contract/vector-rows'

export interface ByteReader {
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}
export interface RowReader {
  read(first: number, count: number): Promise<VectorRows>
  close(): Promise<void>
}
