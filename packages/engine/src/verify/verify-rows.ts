// Whether the index of a segment and the vectors beside it are whole, and say what they must.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { denseProblem, isSparse, sparseProblem } from '@likeness/shared/contract/vector-rows'
import { LocalFile } from '../files/local-file.ts'
import { openRowFile } from '../files/row-file.ts'
import { readSegmentIndex } from '../vector-index/open-index.ts'
import { indexMetric, keepsVectors } from '../vector-index/segment-config.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { VerifyFiles } from './verify-files.ts'

const rowsPerRead = 1024

export async function verifyIndex(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  { embedding, metric }: CollectionSpec
): Promise<void> {
  const { key } = ref.files.index
  await inspection.open(ref.files.index, async (path) => {
    const index = await readSegmentIndex(path, ref, { dim: embedding.dim, onDisk: true })
    try {
      inspection.expect(
        index.ntotal === ref.rows,
        'count',
        key,
        `${index.ntotal} vectors, the manifest says ${ref.rows} rows`
      )
      const [is, must] = [
        [index.kind, index.dim, index.metric, index.storage].join(),
        [ref.index, embedding.dim, indexMetric(metric), ref.storage].join()
      ]
      inspection.expect(is === must, 'content', key, `is ${is}, must be ${must}`)
    } finally {
      index.close()
    }
  })
}

/** Reads a piece at a time, because the file may be larger than the memory. */
export async function verifyVectors(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  spec: CollectionSpec
): Promise<void> {
  const {
    files: { vectors, index },
    rows
  } = ref
  if (vectors === undefined) {
    inspection.expect(
      !keepsVectors(ref, spec),
      'content',
      index.key,
      `an index of ${ref.storage} without full vectors beside it`
    )
    return
  }
  await inspection.open(vectors, async (path) => {
    const { dim } = spec.embedding
    const local = await LocalFile.open(path)
    try {
      const file = await openRowFile(local, ref, { dim, sizeBytes: local.size })
      for (let first = 0; first < rows; first += rowsPerRead) {
        const values = await file.read(
          Int32Array.from({ length: Math.min(rowsPerRead, rows - first) }, (_, i) => first + i)
        )
        const problem = isSparse(values) ? sparseProblem(values, dim) : denseProblem(values)
        inspection.expect(
          problem === undefined,
          'content',
          vectors.key,
          `of the rows from ${first} on: ${problem}`
        )
      }
    } finally {
      await local.close()
    }
  })
}
