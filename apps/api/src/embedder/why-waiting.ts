// Explains why the pictures of a job are not embedded now. The pictures wait in a queue from which
// only a worker with their embedding takes.
import type { JobStatus } from '@likeness/engine/contract'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import { namesOf } from './embedding-mismatch.ts'
import { type EmbedderDeps, makesEmbedding } from './require-embedder.ts'

/** null when a worker embeds the pictures, or when the job needs no embedding. */
export async function whyWaiting(
  { embedder: embedders, profiles }: EmbedderDeps,
  { awaits }: Pick<JobStatus, 'awaits'>
): Promise<JobAnswer['waiting']> {
  if (awaits === null) return null
  const known = embedders.known()
  const takers = known.filter(({ modelSha256 }) => modelSha256 !== undefined)
  if (await makesEmbedding(takers, awaits, profiles)) return null
  const made = takers.map(({ embedding }) => embedding)
  const versions = {
    collection_embedding: awaits.version,
    embedder_embeddings: made.map(({ version }) => version)
  }
  if (made.length === 0) {
    const ofOldProgram =
      known.length === 0
        ? ''
        : ' (those that run are of an older version of the program, and take no pictures of this one)'
    return {
      code: 'embedder_unavailable',
      detail: `no embed-worker is running${ofOldProgram}: the pictures are kept, and embedded as soon as one runs that makes ${namesOf([awaits])}`,
      ...versions
    }
  }
  return {
    code: 'embedding_mismatch',
    detail:
      `the collection holds vectors of ${namesOf([awaits])} and the embed-workers make ${namesOf(made)}: ` +
      `the pictures are kept, and embedded as soon as an embed-worker runs that makes ${awaits.version}, with the former model's folder as MODEL_DIR (docs/upgrading.md)`,
    ...versions
  }
}
