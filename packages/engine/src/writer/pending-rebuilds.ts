// Requests for a rebuild that are not done. The manifest has one place for the oldest request that
// waits for maintenance, by its revision; the log says whether that is a rebuild or a compaction.
import { revisionOf, slotOf } from '@likeness/shared/contract/operation'
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { WriterState } from '../apply/writer-state.ts'
import { readSlot, type WorkSource } from '../log/read-log.ts'

/**
 * Completes a state that was loaded from a manifest. A request that the log has lost is answered
 * with data_corrupt.
 */
export async function findPendingRebuilds(
  source: WorkSource & { logger: Logger },
  state: WriterState
): Promise<void> {
  if (state.compaction === null) return
  const { revision } = state.compaction
  const slot = slotOf(revision)
  try {
    const rebuilds = ((await readSlot(source, slot))?.operations ?? []).flatMap(
      ({ kind }, index) => (kind === 'rebuild' ? [revisionOf(slot, index)] : [])
    )
    if (!rebuilds.includes(revision)) return
    Object.assign(state, { compaction: null, rebuilds } satisfies Partial<WriterState>)
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    source.logger.error({ err: error }, 'the log has lost what was asked for')
    state.results.push({ revision, error: 'data_corrupt' })
    Object.assign(state, { compaction: null, dirty: true } satisfies Partial<WriterState>)
  }
}
/** Answers all requests, and a compaction: every segment is new. */
export function endRebuilds(state: WriterState): void {
  const { rebuilds, compaction, results } = state
  const ended = compaction === null ? rebuilds : [...rebuilds, compaction.revision]
  results.push(...ended.map((revision) => ({ revision })))
  Object.assign(state, { rebuilds: [], compaction: null } satisfies Partial<WriterState>)
}
