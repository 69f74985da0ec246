// Items are found by the first 128 bits of the sha256 of their id: fixed width, sortable, no collisions in practice.
import { sha256Of } from '@likeness/shared/data/sha256'

/** 16 bytes; compared as bytes. */
export function itemHash(id: string): Buffer {
  return sha256Of(id).subarray(0, 16)
}

/** The hash as a map key. */
export const hashName = (hash: Buffer): string => hash.toString('latin1')
