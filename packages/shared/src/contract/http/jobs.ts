// Jobs: how one is shown.
import type { JobCounts, JobState } from '../job.ts'

export interface JobAnswer {
  id: string
  collection: string
  incarnation: string
  /**
   * queued: no item is applied yet. cancelled: on request, and what was applied before stays; or the
   * collection was dropped.
   */
  state: JobState
  source: string
  revision: number
  counts: JobCounts
  /**
   * The reason why this job, accepted and kept, does not go on now. null when it goes on or has
   * ended. The code is one of the catalogue of errors.
   */
  waiting: {
    code: string
    detail: string
    /** Absent where the time is not known. */
    since?: string
    /** With embedding_mismatch and embedder_unavailable. */
    collection_embedding?: string
    embedder_embeddings?: string[]
  } | null
  /** Failed items by ordinal, the first 1000 after `failed_after`. */
  failed: { ordinal: number; id: string; line: number | null; code: string; message: string }[]
  /** Commit that holds the whole job; null until it has ended. */
  seq: number | null
  created_at: string
  finished_at: string | null
  /** The object with the counts is gone from the store. The items are indexed. */
  result_lost?: true
}

export interface JobListAnswer {
  jobs: JobAnswer[]
  /** Value of `before` for the next page; null: there is none. Always null without a collection. */
  next: number | null
}
