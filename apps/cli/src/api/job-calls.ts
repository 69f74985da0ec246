// Calls for jobs.
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { ApiRequest } from './api-request.ts'

export interface JobCalls {
  /** Reads a job with the first 1000 failed items after ordinal `failedAfter`. */
  getJob(id: string, options?: { failedAfter?: number }): Promise<JobAnswer>
  /** Ends a job. What was applied before stays. */
  cancelJob(id: string): Promise<void>
  /** Lists jobs, newest first. */
  listJobs(options?: { collection?: string; limit?: number }): Promise<JobAnswer[]>
}

export function createJobCalls({ answer }: ApiRequest): JobCalls {
  return {
    getJob: (id, { failedAfter } = {}) =>
      answer(
        `/v1/jobs/${encodeURIComponent(id)}${failedAfter === undefined ? '' : `?failed_after=${failedAfter}`}`
      ),
    async cancelJob(id) {
      await answer(`/v1/jobs/${encodeURIComponent(id)}/cancel`, { method: 'POST' })
    },
    async listJobs({ collection, limit = 50 } = {}) {
      const query = new URLSearchParams({
        limit: String(limit),
        ...(collection === undefined ? {} : { collection })
      })
      return (await answer<{ jobs: JobAnswer[] }>(`/v1/jobs?${query}`)).jobs
    }
  }
}
