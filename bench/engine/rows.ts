// Rows for both sides: rows by number, with an id and a label.

/** Rows first.. as [n, dim]. */
export interface Rows {
  first: number
  vectors: Float32Array
}

const labels = 1000

export const idOf = (row: number): string => `item-${row}`
export const labelOf = (row: number): string => `label-${row % labels}`
export const rowOf = (id: string): number => Number(id.slice('item-'.length))
