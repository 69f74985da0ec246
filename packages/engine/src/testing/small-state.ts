import type { StateShape } from '../state/write-state.ts'

/** State lines of which a few make parts of a base, a delta and a page. */
export const smallState: Partial<StateShape> = {
  recentBytes: 400,
  leastDeltaBytes: 0,
  partBytes: 600,
  fewLines: 1,
  jobsOfPage: 2
}
