// Every kind of collection, with the allowed loss of each.
import { type CollectionSpec, indexMethods } from '@likeness/shared/contract/collection'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import { mostlyZero, sparseOf } from './sparse.ts'
import { dim, vectorOf } from './test-items.ts'

export interface Cell extends Pick<CollectionSpec, 'method' | 'metric' | 'storage' | 'rescore'> {
  sparse?: true
}
const storages = ['f32', 'f16', 'sq8', 'pq8'] as const
const plain = indexMethods.flatMap((method) =>
  (['IP', 'L2', 'cosine'] as const).flatMap((metric) =>
    storages.map((storage): Cell => ({ method, metric, storage, rescore: false }))
  )
)
const sparse: Cell = {
  method: 'FLAT',
  metric: 'cosine',
  storage: 'f32',
  rescore: false,
  sparse: true
}
const hamming = indexMethods.map(
  (method): Cell => ({ method, metric: 'hamming', storage: 'f32', rescore: false })
)
/** Cells with re-scoring leave out IP, because IP is scored in the same way as cosine. */
export const cells = [
  ...plain,
  ...hamming,
  ...plain
    .filter(({ metric, storage }) => metric !== 'IP' && storage !== 'f32')
    .map((cell) => ({ ...cell, rescore: true })),
  sparse
]
/**
 * Greatest error of a score, and least recall@10. With re-scoring the values of f32 apply. pq8 has
 * a byte for two of the 16 values.
 */
const losses = {
  f32: [1e-6, 0.98],
  f16: [0.001, 0.98],
  sq8: [0.01, 0.95],
  pq8: [0.1, 0.8]
} as const
export const lossOf = ({ storage, rescore }: Cell) =>
  rescore ? losses.f32 : losses[storage as keyof typeof losses]

export const nameOf = ({ method, metric, storage, rescore, sparse }: Cell): string =>
  `${method} over ${metric}, ${sparse ? 'sparse ' : ''}${storage}${rescore ? ' with re-scoring' : ''}`

/** Returns the vector of a seed. In a sparse cell most values are zero. */
export const vectorIn = ({ sparse }: Cell, seed: number): Float32Array =>
  sparse ? mostlyZero(vectorOf(seed)) : vectorOf(seed)
/** Converts [rows, dim] to the rows of the engine. */
export const rowsIn = ({ sparse }: Cell, vectors: Float32Array): VectorRows =>
  sparse ? sparseOf(vectors, dim) : vectors
