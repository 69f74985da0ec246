// Merges of a state that is being built: while its batches are read, small segments become larger
// ones, so that an item is looked up in few segments. Rows are only copied. The index of a sealed
// segment is built once, at the end.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Logger } from '@likeness/shared/process/logger'
import type { WriterState } from '../apply/writer-state.ts'
import type { BuildMerge } from '../merge/merge-task.ts'
import {
  adoptMerge,
  type AdoptionRules,
  MergesUnderWay,
  type MergingDeps,
  type Proposal
} from '../merge/merge.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'

export interface MergesOnTheWayDeps {
  files: SegmentFiles
  newId: () => string
  logger: Logger
  protocol: AdoptionRules
  merging: Omit<MergingDeps, 'newId'>
  buildMerge: BuildMerge
}

interface Running {
  proposal: Proposal
  /** null: all rows were deleted. */
  result?: OpenSegment | null
}

/** No segment is large enough to be sealed. */
const neverSealed = (spec: CollectionSpec): CollectionSpec => ({
  ...spec,
  settings: { ...spec.settings, seal_threshold: Number.MAX_SAFE_INTEGER }
})

export class MergesOnTheWay {
  private readonly deps: MergesOnTheWayDeps
  private readonly state: WriterState
  private readonly merges: MergesUnderWay
  private running: Running | undefined
  /** Resolves when no merge is being built, also none that was given up. */
  private built: Promise<void> = Promise.resolve()
  private hasFailed = false

  constructor(deps: MergesOnTheWayDeps, state: WriterState) {
    this.deps = deps
    this.state = state
    this.merges = new MergesUnderWay({ ...deps.merging, newId: deps.newId })
  }

  /** Call this before all changes are written: adopts a merge that is built. */
  adopt(): void {
    if (this.running?.result === undefined) return
    const { proposal, result } = this.running
    this.forget()
    adoptMerge(this.state, proposal, result, this.deps.protocol)
  }

  /** Call this after all changes are written: a merge reads files. Begins one that is due. */
  begin(): void {
    if (this.running !== undefined || this.hasFailed) return
    const { merges, state } = this
    const version = { seq: 0, spec: neverSealed(state.spec), quantizer: null }
    const proposal = merges.begin(state, version, ['small'])
    if (proposal === undefined) return
    const running: Running = { proposal }
    this.running = running
    this.built = this.build(running)
  }

  /** Gives up the running merge, whose files become garbage, and waits until it has stopped. */
  async end(): Promise<void> {
    this.forget()
    await this.built
  }

  private forget(): void {
    this.merges.abandon()
    this.running = undefined
  }

  /**
   * Without a merge the state is the same, in more segments. So a failure ends the merges, and
   * nothing else.
   */
  private async build(running: Running): Promise<void> {
    const { buildMerge, files, logger } = this.deps
    const { proposal } = running
    try {
      const task = { ...proposal.newTask(), spec: this.state.spec }
      const { segment } = await buildMerge(task, proposal.abort.signal)
      running.result = segment && (await openSegment(files, segment))
    } catch (error) {
      if (this.running !== running) return
      this.forget()
      this.hasFailed = true
      logger.warn({ err: error }, 'merge on the way failed: the segments are merged later')
    }
  }
}
