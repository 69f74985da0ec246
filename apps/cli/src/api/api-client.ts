// The public API for this program. A problem answer becomes an ApiProblem error with the same code.
import type { DisksAnswer } from '@likeness/shared/contract/http/status'
import type { TroubleAnswer } from '@likeness/shared/contract/http/troubles'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { createApiRequest } from './api-request.ts'
import { type CollectionCalls, createCollectionCalls } from './collection-calls.ts'
import { createImportCalls, type ImportCalls } from './import-calls.ts'
import { createItemCalls, type ItemCalls } from './item-calls.ts'
import { createJobCalls, type JobCalls } from './job-calls.ts'
import { createProfileCalls, type ProfileCalls } from './profile-calls.ts'

export interface ApiStatus {
  store: string
  replica: {
    incarnation: string
    seq: number
    rows: number
    behind_ms: number
    alarm: string | null
  }[]
  disks: DisksAnswer
  lanes: { worker: string; embedding: EmbeddingSpec; provider: string; seen_at: string }[]
  index_workers: { worker: string; seen_at: string }[]
  troubles: TroubleAnswer[]
}

export interface ApiClient extends CollectionCalls, ProfileCalls, ImportCalls, JobCalls, ItemCalls {
  readonly url: string
  getStatus(): Promise<ApiStatus>
}

export function createApiClient(address: { url: string; apiKey?: string }): ApiClient {
  const requests = createApiRequest(address)
  return {
    url: address.url,
    getStatus: () => requests.answer<ApiStatus>('/v1/status'),
    ...createCollectionCalls(requests),
    ...createProfileCalls(requests),
    ...createImportCalls(requests),
    ...createJobCalls(requests),
    ...createItemCalls(requests)
  }
}
