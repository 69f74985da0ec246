// A vector batch with the vectors of the collection's current embedding. A batch for an earlier
// embedding of the same model keeps its raw vectors; each read projects them again. So log and
// batches can make the collection again with its newest profile.
import type { CollectionSpec, EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { BatchItem, VectorBatch } from '@likeness/shared/contract/vector-batch'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { normaliseVectors } from '../vector-index/normalise-vectors.ts'
import type { WorkSource } from './read-log.ts'

export interface ReprojectRule {
  /** Returns vectors of the collection's embedding for a batch that was made for an earlier one. */
  reproject(
    batch: VectorBatch,
    make: (raw: Uint16Array) => Promise<Float32Array>
  ): Promise<VectorRows>
}

export const reprojectRule: ReprojectRule = { reproject: ({ raw }, make) => make(raw) }

/**
 * Projects f16 [rows, rawDim] to f32 [rows, dim] of an embedding. Rejects with data_corrupt when
 * the profile is missing, damaged, or takes other raw vectors.
 */
export type Project = (
  raw: Uint16Array,
  rawDim: number,
  embedding: EmbeddingSpec
) => Promise<Float32Array>

export interface EmbeddingDeps extends WorkSource {
  protocol: ReprojectRule
  /** Absent where collections never change their embedding. */
  project?: Project
}

const noProjection: Project = (_raw, _rawDim, { version }) =>
  Promise.reject(appError('internal', `nothing here makes ${version} of raw vectors`))

/**
 * Fails an item with supplied vectors of an earlier embedding: there are no raw vectors to project.
 */
const refused = (item: BatchItem, from: string, to: string): BatchItem => ({
  ...item,
  rows: [],
  failure: item.failure ?? {
    code: 'embedding_mismatch',
    message: `its vectors are of ${from}, the collection has ${to} by now: send it again`
  }
})

export async function embeddedBatch(
  { clock, signal, protocol, project = noProjection }: EmbeddingDeps,
  spec: CollectionSpec,
  batch: VectorBatch
): Promise<VectorBatch> {
  const { header, vectors, raw, rawAt } = batch
  const { version, dim } = spec.embedding
  if (header.embeddingVersion === version)
    return { ...batch, vectors: normaliseVectors(spec, vectors) }
  if (header.rawDim === 0)
    return {
      header: {
        ...header,
        items: header.items.map((item) => refused(item, header.embeddingVersion, version))
      },
      vectors: new Float32Array(0),
      raw
    }
  const made = await protocol.reproject(batch, (rows) =>
    retryStore(clock, () => project(rows, header.rawDim, spec.embedding), signal)
  )
  return {
    header: { ...header, embeddingVersion: version, dim },
    vectors: normaliseVectors(spec, made),
    raw,
    rawAt
  }
}
