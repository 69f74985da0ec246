// The rules that protect order and data. They are in one place and replaceable, so that the
// simulation can show that each rule is needed.
import { type ApplyRules, applyRules } from '../apply/apply-rules.ts'
import { type ReprojectRule, reprojectRule } from '../log/embedded-batch.ts'
import { type LogRules, logRules } from '../log/log-rules.ts'
import { type AdoptionRules, carryOver } from '../merge/merge.ts'
import type { BaseRef } from '../state/history.ts'
import { type CommitProtocol, commitProtocol } from '../version/commit-protocol.ts'

export interface Protocol
  extends CommitProtocol,
    ApplyRules,
    ReprojectRule,
    AdoptionRules,
    LogRules {
  /**
   * Returns the slots up to which the log may be deleted, once `base` is committed: what the base
   * before stands for too, so that it can take the place of a damaged one.
   */
  floorAfter(base: BaseRef, previous: BaseRef | null): number
  /**
   * Makes a reindex take in all changes of the collection before the reindex replaces the old
   * version.
   */
  catchUp(catchUp: () => Promise<void>): Promise<void>
}

export const realProtocol: Protocol = {
  ...commitProtocol,
  ...applyRules,
  ...reprojectRule,
  ...logRules,
  floorAfter: (_base, previous) => (previous?.holdsLog === true ? previous.appliedSlot : 0),
  catchUp: (catchUp) => catchUp(),
  mayAdopt: (inputs) => inputs.every((input) => input !== undefined),
  carryOver
}
