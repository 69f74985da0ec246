// GET /v1/status: the collections that this process serves, the workers, and what any of them cannot
// do now.
import { troubleAnswers } from '../answers/trouble-answer.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Route } from '../http/route.ts'

export const status = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/status',
  handle(_req, res) {
    const replica = deps.replica
      .status()
      .map(({ collectionId, seq, rows, behindMs, alarm, bytes, pinned }) => ({
        incarnation: collectionId,
        seq,
        rows,
        behind_ms: behindMs,
        alarm,
        bytes,
        pinned
      }))
    const embedders = deps.embedder.known().map(({ workerId, embedding, provider, atMs }) => ({
      worker: workerId,
      embedding,
      provider,
      seen_at: new Date(atMs).toISOString()
    }))
    res.json({
      store: deps.store.kind,
      replica,
      memory_bytes: deps.settings.replicaMemoryBytes ?? null,
      lanes: embedders,
      index_workers: deps.workers.alive('index-worker').map(({ workerId, heardMs }) => ({
        worker: workerId,
        seen_at: new Date(heardMs).toISOString()
      })),
      troubles: troubleAnswers(deps.workers.troubles())
    })
  }
})
