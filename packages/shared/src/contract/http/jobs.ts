// Jobs: how one is shown.
export interface JobAnswer {
  id: string
  collection: string
  incarnation: string
  /** queued: nothing applied yet. cancelled: its collection was dropped. */
  state: 'queued' | 'running' | 'completed' | 'cancelled'
  source: string
  revision: number
  /** total = pending + indexed + superseded + failed. */
  counts: { total: number; pending: number; indexed: number; superseded: number; failed: number }
  /** Why its pictures are not embedded now, though they are accepted and kept; null when somebody embeds them, or nothing has to. */
  waiting: {
    code: 'embedding_mismatch' | 'embedder_unavailable'
    detail: string
    collection_embedding: string
    embedder_embeddings: string[]
  } | null
  /** Failed items by ordinal, first 1000 after `failed_after`. */
  failed: { ordinal: number; id: string; line: number | null; code: string; message: string }[]
  /** The commit that holds all of it; null until completed. */
  seq: number | null
  created_at: string
  finished_at: string | null
}
