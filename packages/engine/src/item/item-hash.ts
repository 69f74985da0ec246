// Items are found by the first 128 bits of the sha256 of their id: fixed width, sortable, no collisions in practice.
import { createHash } from 'node:crypto'

/** 16 bytes; compared as bytes. */
export function itemHash(id: string): Buffer {
  return createHash('sha256').update(id).digest().subarray(0, 16)
}

/** The hash as a map key. */
export const hashName = (hash: Buffer): string => hash.toString('latin1')
