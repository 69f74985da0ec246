// How an error is answered.
/** RFC 9457, media type application/problem+json. */
export interface Problem {
  type: string
  title: string
  status: number
  code: string
  detail: string
  request_id?: string
  [extra: string]: unknown
}
