// Violations that the simulation can find, by name.

export const invariants = {
  effect:
    'every acknowledged operation is in effect, and each version is exactly what its log and ordinals make of it',
  order: 'an operation sent after another was acknowledged has the higher revision',
  once: 'an operation is in the log once',
  reappearance:
    'what was deleted or superseded never reappears, and no reader goes back to an older version',
  'one-row-set': 'an item has at most one live row set in a version',
  'whole-version': 'every file of the version that CURRENT names is there and unaltered',
  'job-counts':
    'the counts of a job sum to its total and never go backwards; a finished one names the commit that holds it',
  'commit-chain':
    'seq grows by one, epoch never falls, every manifest continues the one committed before it',
  progress: 'once the faults end, everything that was accepted completes',
  'clean-errors': 'a part of the engine gives up only with an error that is true',
  picture: 'the picture of every item that a version or a snapshot has is there',
  'no-leak': 'past the retention only what CURRENT names is stored'
} as const
export type Invariant = keyof typeof invariants

export class Violation extends Error {
  readonly invariant: Invariant

  constructor(invariant: Invariant, message: string) {
    super(`${invariant}: ${message}`)
    this.name = 'Violation'
    this.invariant = invariant
  }
}
