// GET /v1/status: the collections that this process serves, the workers, and what any of them cannot
// do now.
import { statfs } from 'node:fs/promises'
import type { DiskRoom } from '@likeness/shared/contract/http/status'
import { troubleAnswers } from '../answers/trouble-answer.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Route } from '../http/route.ts'

/** Room for this user on the disk of a folder; null: the system does not tell. */
async function roomOf(folder: string): Promise<DiskRoom | null> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder)
    return { free_bytes: bavail * bsize, total_bytes: blocks * bsize }
  } catch (error) {
    // A folder of another user, or one that is just being made.
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return null
    throw error
  }
}

export const status = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/status',
  async handle(_req, res) {
    const { spoolDir, storeDir } = deps.settings
    const disks = {
      data: await roomOf(spoolDir),
      store: storeDir === undefined ? null : await roomOf(storeDir)
    }
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
      disks,
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
