// Expected state of every item at the end: the version with the last acknowledged operation, or
// deleted. Compares this state with the content of a replica.

export interface Version {
  /**
   * Seed of the picture. The label is the same number, so that the version of a found item is
   * known.
   */
  seed: number
  revision: number
  isDeleted: boolean
}
export interface FoundItem {
  id: string
  label: string | null
  rows: number
  vectorHash: string
}
export interface Tally {
  /**
   * Items that are missing, or that have another vector or an older revision than the acknowledged
   * one.
   */
  lost: number
  /** Items that are stored twice, have two rows, or are counted twice by their job. */
  duplicated: number
  /** Items that were deleted or superseded, and are still stored. */
  resurrected: number
  /** Descriptions of the first problems. */
  problems: string[]
}

const problemsTold = 50

export const emptyTally = (): Tally => ({ lost: 0, duplicated: 0, resurrected: 0, problems: [] })

export function report(
  tally: Tally,
  what: 'lost' | 'duplicated' | 'resurrected',
  problem: string
): void {
  tally[what]++
  if (tally.problems.length < problemsTold) tally.problems.push(`${what}: ${problem}`)
}

export class Oracle {
  readonly versions = new Map<string, Version>()
  private highest = 0

  /**
   * Highest acknowledged revision before an operation is sent. The revision of the operation must
   * be higher.
   */
  get floor(): number {
    return this.highest
  }

  acknowledged(id: string, version: Version, floor: number): void {
    if (version.revision <= floor)
      throw new Error(
        `${id} was acknowledged at revision ${version.revision}, sent after ${floor} was`
      )
    this.highest = Math.max(this.highest, version.revision)
    this.versions.set(id, version)
  }

  get live(): [string, Version][] {
    return [...this.versions].filter(([, { isDeleted }]) => !isDeleted)
  }
}

/**
 * Compares the content of one replica with the expected content. `hashOf`: hash of the vector of a
 * picture.
 */
export function compare(
  tally: Tally,
  oracle: Oracle,
  found: readonly FoundItem[],
  hashOf: (seed: number) => string
): void {
  const seen = new Set<string>()
  for (const { id, label, rows, vectorHash } of found) {
    const expected = oracle.versions.get(id)
    if (seen.has(id)) report(tally, 'duplicated', `${id} is there twice`)
    else if (expected === undefined || expected.isDeleted)
      report(tally, 'resurrected', `${id} was deleted at revision ${expected?.revision}`)
    else if (label !== String(expected.seed))
      report(tally, 'resurrected', `${id} is version ${label}, superseded by ${expected.seed}`)
    else if (rows !== 1) report(tally, 'duplicated', `${id} has ${rows} rows`)
    else if (vectorHash !== hashOf(expected.seed))
      report(tally, 'lost', `${id} has another vector than its picture`)
    seen.add(id)
  }
  for (const [id, { seed, revision }] of oracle.live)
    if (!seen.has(id)) report(tally, 'lost', `${id}, version ${seed} of revision ${revision}`)
}
