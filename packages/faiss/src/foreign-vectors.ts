// Reads vectors from a Faiss file that another program wrote.
import { constants } from 'node:buffer'
import { addon } from './addon.ts'
import { requirePath } from './argument-checks.ts'
import { callAddon } from './faiss-error.ts'
import type { FaissMetric } from './index-spec.ts'

export interface ForeignVectors {
  /** Name by Faiss's factory: `Flat`, `HNSW,Flat`, `IDMap2,IVF,PQ`. */
  kind: string
  dim: number
  metric: FaissMetric
  /** Row numbers when the file has no ids. Bigints when a double cannot hold an id exactly. */
  ids: BigInt64Array | Float64Array
  /**
   * ids.length x dim, in the order of the file (IVF: list after list). Not checked to be finite.
   */
  vectors: Float32Array
}

/**
 * Reads flat, scalar quantized and product quantized rows, alone or under HNSW, IVF, IDMap and
 * IDMap2. Quantized rows are returned decoded. The file may come from anyone, so the parser checks
 * every size against the file. Rejects with data_corrupt, with unsupported_index (another kind or
 * metric, or more vectors than fit into one array of Node or into half the memory), or with
 * faiss_failed when the file cannot be read.
 */
export async function readForeignVectors(path: string): Promise<ForeignVectors> {
  requirePath(path)
  const [kind, dim, innerProduct, ids, vectors] = await callAddon(() =>
    addon.readForeign(path, constants.MAX_LENGTH)
  )
  return { kind, dim, metric: innerProduct ? 'ip' : 'l2', ids, vectors }
}
