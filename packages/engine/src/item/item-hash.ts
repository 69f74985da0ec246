// Hash of an item id: the first 128 bits of its sha256. Items are found by this hash. It has a
// fixed width, is sortable, and has no collisions in practice.
import { sha256Of } from '@likeness/shared/data/sha256'

/** Returns 16 bytes; compared as bytes. */
export function itemHash(id: string): Buffer {
  return sha256Of(id).subarray(0, 16)
}

/** Returns the hash as a map key. */
export const hashName = (hash: Buffer): string => hash.toString('latin1')
