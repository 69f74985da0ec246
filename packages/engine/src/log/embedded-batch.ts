// A vector batch as the collection compares it today. One that was written for an earlier embedding of the same model keeps its raw vectors: they are
// projected anew, whenever it is read. So log and batches make the collection again with whatever profile it has by then.
import type { CollectionSpec, EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { BatchItem, VectorBatch } from '@likeness/shared/contract/vector-batch'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { normaliseVectors } from '../vector-index/normalise-vectors.ts'
import type { WorkSource } from './read-log.ts'

export interface ReprojectRule {
  /** The vectors of a batch that was made for an earlier embedding: of the one that the collection has. */
  reproject(
    batch: VectorBatch,
    make: (raw: Uint16Array) => Promise<Float32Array>
  ): Promise<VectorRows>
}

export const reprojectRule: ReprojectRule = { reproject: ({ raw }, make) => make(raw) }

/** f16 [rows, rawDim] to f32 [rows, dim] of an embedding. data_corrupt when its profile is missing, damaged, or takes other raw vectors. */
export type Project = (
  raw: Uint16Array,
  rawDim: number,
  embedding: EmbeddingSpec
) => Promise<Float32Array>

export interface EmbeddingDeps extends WorkSource {
  protocol: ReprojectRule
  /** Not there where no collection ever gets another embedding. */
  project?: Project
}

const noProjection: Project = (_raw, _rawDim, { version }) =>
  Promise.reject(appError('internal', `nothing here makes ${version} of raw vectors`))

/** What was given with its vectors, and for an earlier embedding, fails: nothing can be made of it. */
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
  const { header, vectors, raw } = batch
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
    raw
  }
}
