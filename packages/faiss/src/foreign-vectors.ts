// Vectors out of a Faiss file that another program wrote.
import { constants } from 'node:buffer'
import { addon } from './addon.ts'
import { requirePath } from './argument-checks.ts'
import { callAddon } from './faiss-error.ts'
import type { FaissMetric } from './index-spec.ts'

export interface ForeignVectors {
  /** As Faiss's factory names it: `Flat`, `HNSW,Flat`, `IDMap2,IVF,PQ`. */
  kind: string
  dim: number
  metric: FaissMetric
  /** Row numbers where the file has no ids; bigints when an id is beyond what a double holds exactly. */
  ids: BigInt64Array | Float64Array
  /** ids.length x dim, in the order of the file (IVF: list after list); not checked to be finite. */
  vectors: Float32Array
}

/**
 * Reads flat, scalar and product quantized rows, alone or under HNSW, IVF, IDMap and IDMap2; quantized rows as they decode.
 * The file may be anyone's: it is parsed with every size checked against the file. Rejects with data_corrupt,
 * unsupported_index (another kind or metric, or more vectors than one array of Node or half the memory holds), or faiss_failed when it cannot be read.
 */
export async function readForeignVectors(path: string): Promise<ForeignVectors> {
  requirePath(path)
  const [kind, dim, innerProduct, ids, vectors] = await callAddon(() =>
    addon.readForeign(path, constants.MAX_LENGTH)
  )
  return { kind, dim, metric: innerProduct ? 'ip' : 'l2', ids, vectors }
}
