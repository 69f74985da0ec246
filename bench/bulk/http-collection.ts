// A collection of a running stack that takes Arrow bodies over HTTP.
import { createApiRequest, inCollection, json } from '../../apps/cli/src/api/api-request.ts'

const pollMs = 20
/** More rows than any run has: no graph is built meanwhile, and LanceDB builds none either. */
const neverSealed = 5_000_000

interface JobAnswer {
  state: string
  counts: { failed: number }
}

export async function createHttpCollection({
  url,
  name,
  dim
}: {
  url: string
  name: string
  dim: number
}) {
  const { answer, request } = createApiRequest({ url })
  await answer(
    '/v1/collections',
    json({
      name,
      metric: 'IP',
      index_method: 'FLAT',
      embedding: { version: 'bench@1/none@1', dim, unit: true },
      settings: { seal_threshold: neverSealed }
    })
  )
  return {
    /** Resolves with the job when the body is acknowledged. */
    async send(body: Uint8Array): Promise<string> {
      const accepted = await answer<{ job: string }>(inCollection(name, '/vectors'), {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/vnd.apache.arrow.stream' }
      })
      return accepted.job
    },
    /** Resolves when all jobs have ended. Rejects when an item of one has failed. */
    async indexed(jobs: readonly string[]): Promise<void> {
      for (const job of jobs) {
        for (;;) {
          const { state, counts } = await answer<JobAnswer>(`/v1/jobs/${job}`)
          if (counts.failed > 0) throw new Error(`${counts.failed} items of the job ${job} failed`)
          if (state !== 'queued' && state !== 'running') break
          await new Promise((resolve) => setTimeout(resolve, pollMs))
        }
      }
    },
    drop: () => request(inCollection(name), { method: 'DELETE' })
  }
}
