// Bounds of a step of a collection's writer. A step ends at the first one that it reaches, and the
// next step goes on. So memory and the time between two commits do not depend on a backlog.

export interface StepBounds {
  /** Bytes of the log slots, and the time that they take. */
  slotBytes: number
  slotMs: number
  /** Time of a listing of batches. */
  listMs: number
  /** Bytes of the vector batches, their items, and the time that they take. */
  batchBytes: number
  items: number
  batchMs: number
}

export const stepBounds: StepBounds = {
  slotBytes: 8 * 1024 * 1024,
  slotMs: 100,
  listMs: 250,
  batchBytes: 32 * 1024 * 1024,
  items: 20_000,
  batchMs: 500
}
