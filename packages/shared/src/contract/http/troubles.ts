// What a process cannot do now, as answers show it.
export interface TroubleAnswer {
  process: 'api' | 'index-worker' | 'embed-worker'
  /** A code of the catalogue of errors. */
  code: string
  /** What fails, why, and what to do. */
  detail: string
  /** Id of the collection; null when all collections are concerned. */
  incarnation: string | null
  since: string
}
