// Order of all changes to an item: the revision fixed at acceptance, then the ordinal inside an
// ingestion.

export interface ItemVersion {
  revision: number
  ordinal: number
}

/**
 * Returns true when `next` was accepted after `current`. An equal version is the same operation
 * seen again.
 */
export function supersedes(next: ItemVersion, current: ItemVersion): boolean {
  return (
    next.revision > current.revision ||
    (next.revision === current.revision && next.ordinal > current.ordinal)
  )
}
