// Builds a Faiss index from a file of rows, added part by part. IVF trains on a sample of the whole
// file.
import { type FileHandle, open } from 'node:fs/promises'
import { bitsBytes, packBits } from '@likeness/engine'
import {
  BinaryIndex,
  FaissIndex,
  type FaissMetric,
  trainBinaryCentroids,
  trainCentroids
} from '@likeness/faiss'
import type { IndexMethod } from '@likeness/shared/contract/collection'

const rowsPerPart = 4_096
/** Points per list. Faiss warns below 39 points a list, and uses no more than 256. */
const [leastPoints, pointsPerList] = [39, 64]

export interface IndexPlan {
  vectorsFile: string
  rows: number
  dim: number
  /** Rows of hamming are 0 and 1. */
  metric: FaissMetric | 'hamming'
  method: IndexMethod
  /** Search budget stored in the file, for programs that set no budget themselves. */
  budget: number | undefined
  onRows: (rows: number) => void
}

/**
 * Writes the index; durable when resolved. The index is in memory during the build: rows x dim x 4
 * bytes, and links for HNSW32.
 */
export async function buildIndexFile(plan: IndexPlan, file: string): Promise<void> {
  const { dim, rows, budget } = plan
  const source = await open(plan.vectorsFile, 'r')
  const lists = Math.max(
    1,
    Math.min(Math.round(4 * Math.sqrt(rows)), Math.floor(rows / leastPoints))
  )
  const index = await createIndex(source, plan, lists)
  try {
    for (let first = 0; first < rows; first += rowsPerPart) {
      const count = Math.min(rowsPerPart, rows - first)
      await index.add(await readRows(source, dim, { first, count }))
      plan.onRows(first + count)
    }
    await index.exportTo(file, {
      efSearch: budget ?? 64,
      nprobe: budget ?? Math.max(8, Math.ceil(Math.sqrt(lists)))
    })
  } finally {
    index.close()
    await source.close()
  }
}

type ExportedIndex = Pick<FaissIndex, 'add' | 'exportTo' | 'close'>

async function createIndex(
  source: FileHandle,
  plan: IndexPlan,
  nlist: number
): Promise<ExportedIndex> {
  const { dim, metric, method } = plan
  const points = () => sample(source, plan, nlist * pointsPerList)
  const graphOrFlat = method === 'FLAT' ? 'flat' : 'hnsw'
  if (metric !== 'hamming') {
    if (method !== 'IVF') return FaissIndex.create({ kind: graphOrFlat, dim, metric })
    return FaissIndex.create({
      kind: 'ivf',
      dim,
      metric,
      centroids: await trainCentroids(await points(), { dim, metric, nlist })
    })
  }
  const bits = 8 * bitsBytes(dim)
  const index = BinaryIndex.create(
    method === 'IVF'
      ? {
          kind: 'ivf',
          bits,
          centroids: await trainBinaryCentroids(packBits(await points(), dim), { bits, nlist })
        }
      : { kind: graphOrFlat, bits }
  )
  return {
    add: (rows) => index.add(packBits(rows, dim)),
    exportTo: (file, effort) => index.exportTo(file, effort),
    close: () => index.close()
  }
}

async function readRows(
  source: FileHandle,
  dim: number,
  { first, count }: { first: number; count: number }
): Promise<Float32Array> {
  const rows = new Float32Array(count * dim)
  const bytes = new Uint8Array(rows.buffer)
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await source.read(
      bytes,
      done,
      bytes.length - done,
      first * dim * 4 + done
    )
    if (bytesRead === 0)
      throw new Error('the file of vectors is shorter than what was written to it')
    done += bytesRead
  }
  return rows
}

/** Returns at most `wanted` rows, evenly spread. */
async function sample(
  source: FileHandle,
  { rows, dim }: IndexPlan,
  wanted: number
): Promise<Float32Array> {
  if (wanted >= rows) return readRows(source, dim, { first: 0, count: rows })
  const found = new Float32Array(wanted * dim)
  for (let i = 0; i < wanted; i++)
    found.set(
      await readRows(source, dim, { first: Math.floor((i * rows) / wanted), count: 1 }),
      i * dim
    )
  return found
}
