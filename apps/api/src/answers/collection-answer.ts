// Builds the answer to GET of a collection.
import type { VersionSummary } from '@likeness/engine/contract'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { thresholdOf } from '@likeness/shared/contract/calibrated-threshold'
import { comparedIn, effectiveWeights } from '@likeness/shared/contract/search-weights'
import { appError } from '@likeness/shared/errors'
import { calibrationAnswer } from './calibration-answer.ts'
import type { ApiDeps } from '../api-deps.ts'
import { troubleAnswers } from './trouble-answer.ts'

function answerOf(
  spec: CollectionSpec,
  version: VersionSummary,
  aliases: string[]
): CollectionAnswer {
  const { name, collectionId, method, metric, storage, rescore, createdAtMs } = spec
  return {
    name,
    aliases,
    incarnation: collectionId,
    index_method: method,
    metric,
    storage,
    rescore,
    embedding: version.embedding,
    reprojection: version.reprojection,
    settings: { ...version.settings },
    weights: effectiveWeights({ metric, ...version }),
    created_at: new Date(createdAtMs).toISOString(),
    seq: version.seq,
    items: version.counts.items,
    rows: version.counts.rows,
    segments: version.segments,
    open_jobs: version.openIngestions,
    calibration: calibrationAnswer(version),
    threshold: thresholdOf(
      version.settings,
      comparedIn({ metric, ...version }, version.counts.items)
    ),
    loaded: null,
    troubles: []
  }
}

export const newCollectionAnswer = (spec: CollectionSpec): CollectionAnswer =>
  answerOf(
    spec,
    {
      seq: 0,
      settings: spec.settings,
      embedding: spec.embedding,
      reprojection: null,
      counts: { items: 0, rows: 0 },
      segments: [],
      openIngestions: 0,
      snapshots: [],
      outcomes: [],
      calibration: null
    },
    []
  )

/**
 * Describes the collection at the current commit. collection_not_found when the collection was
 * dropped meanwhile.
 */
export async function collectionAnswer(
  { catalog, versions, replica, workers }: ApiDeps,
  spec: CollectionSpec
): Promise<CollectionAnswer> {
  const version = await versions.read(spec.collectionId)
  if (version === undefined)
    throw appError('collection_not_found', `collection ${spec.name} was dropped meanwhile`)
  const aliases = await catalog.aliasesOf(spec.name)
  const loaded = replica.status().find(({ collectionId }) => collectionId === spec.collectionId)
  return {
    ...answerOf(spec, version, aliases),
    loaded: loaded === undefined ? null : { bytes: loaded.bytes, pinned: loaded.pinned },
    troubles: troubleAnswers(workers.troubles(spec.collectionId))
  }
}
