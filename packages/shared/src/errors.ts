// The only error class, and the catalogue of stable codes. Codes are published: never renamed, only
// added.

/** code -> [HTTP status, retryable]. Item failures use the same codes. */
const catalogue = {
  // requests
  invalid_request: [400, false],
  invalid_vector: [400, false],
  dimension_mismatch: [400, false],
  invalid_key: [400, false],
  invalid_name: [400, false],
  invalid_list_line: [400, false],
  path_outside_root: [400, false],
  missing_label: [400, false],
  duplicate_item: [400, false],
  unauthorized: [401, false],
  forbidden_origin: [403, false],
  forbidden_prefix: [403, false],
  collection_not_found: [404, false],
  item_not_found: [404, false],
  job_not_found: [404, false],
  object_not_found: [404, false],
  snapshot_not_found: [404, false],
  alias_not_found: [404, false],
  profile_not_found: [404, false],
  route_not_found: [404, false],
  method_not_allowed: [405, false],
  collection_exists: [409, false],
  snapshot_exists: [409, false],
  setting_fixed: [409, false],
  name_is_alias: [409, false],
  alias_moved: [409, false],
  collection_has_aliases: [409, false],
  embedding_mismatch: [409, false],
  raw_vectors_missing: [409, false],
  profile_replaced: [409, false],
  job_ended: [409, false],
  idempotency_in_progress: [409, true],
  upload_expired: [409, false],
  not_fresh: [409, true],
  too_large: [413, false],
  unsupported_media_type: [415, false],
  idempotency_mismatch: [422, false],
  // pictures
  image_empty: [422, false],
  image_corrupt: [422, false],
  image_truncated: [422, false],
  image_too_many_pixels: [422, false],
  image_unsupported: [415, false],
  image_kills_worker: [422, false],
  image_missing: [422, false],
  // models
  quality_lost: [422, false],
  not_faster: [422, false],
  // the environment has failed
  store_unavailable: [503, true],
  queue_unavailable: [503, true],
  embedder_unavailable: [503, true],
  index_worker_unavailable: [503, true],
  replica_behind: [503, true],
  overloaded: [503, true],
  backlog_full: [503, true],
  shutting_down: [503, true],
  // the program has failed
  ownership_lost: [500, true],
  data_corrupt: [500, false],
  index_failed: [500, false],
  unsupported_store: [500, false],
  internal: [500, false]
} as const satisfies Record<string, readonly [number, boolean]>

export type ErrorCode = keyof typeof catalogue

export interface AppErrorOptions {
  cause?: unknown
  /** Structured extra data, safe to show to a client. */
  detail?: Record<string, unknown>
  retryAfterS?: number
}

export class AppError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly retryable: boolean
  readonly detail: Record<string, unknown> | undefined
  readonly retryAfterS: number | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    const [status, retryable] = catalogue[code]
    this.status = status
    this.retryable = retryable
    this.detail = options.detail
    this.retryAfterS = options.retryAfterS ?? (retryable ? 1 : undefined)
  }
}

export function appError(code: ErrorCode, message: string, options?: AppErrorOptions): AppError {
  return new AppError(code, message, options)
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code)
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code)
}

/** Returns the message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
