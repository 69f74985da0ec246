// What GET says about a collection.
import type { VersionSummary } from '@likeness/engine/contract'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { CollectionAnswer } from '@likeness/shared/contract/http'
import { appError } from '@likeness/shared/errors'
import type { ApiDeps } from './api-deps.ts'

function answerOf(spec: CollectionSpec, version: VersionSummary): CollectionAnswer {
  const { name, incarnation, method, metric, storage, rescore, embedding, settings, createdAtMs } = spec
  return {
    name,
    incarnation,
    index_method: method,
    metric,
    storage,
    rescore,
    embedding,
    settings: { ...settings },
    created_at: new Date(createdAtMs).toISOString(),
    seq: version.seq,
    items: version.counts.items,
    rows: version.counts.rows,
    segments: version.segments,
    open_jobs: version.openIngestions,
    loaded: null
  }
}

export const newCollectionAnswer = (spec: CollectionSpec): CollectionAnswer =>
  answerOf(spec, { seq: 0, counts: { items: 0, rows: 0 }, segments: [], openIngestions: 0, snapshots: [], outcomes: [] })

/** As committed now; collection_not_found when it was dropped meanwhile. */
export async function collectionAnswer({ versions, replica }: ApiDeps, spec: CollectionSpec): Promise<CollectionAnswer> {
  const version = await versions.read(spec.incarnation)
  if (version === undefined) throw appError('collection_not_found', `collection ${spec.name} was dropped meanwhile`)
  const loaded = replica.status().find(({ incarnation }) => incarnation === spec.incarnation)
  return { ...answerOf(spec, version), loaded: loaded === undefined ? null : { bytes: loaded.bytes, pinned: loaded.pinned } }
}
