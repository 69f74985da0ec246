// The rules that protect order and data. They are in one place and replaceable, so that the
// simulation can show that each rule is needed.
import { type ApplyRules, applyRules } from '../apply/apply-rules.ts'
import { type ReprojectRule, reprojectRule } from '../log/embedded-batch.ts'
import { type AdoptionRules, carryOver } from '../merge/merge.ts'
import { type CommitProtocol, commitProtocol } from '../version/commit-protocol.ts'

export interface Protocol extends CommitProtocol, ApplyRules, ReprojectRule, AdoptionRules {
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
  catchUp: (catchUp) => catchUp(),
  mayAdopt: (inputs) => inputs.every((input) => input !== undefined),
  carryOver
}
