// Hash of an item id: the first 128 bits of its sha256. Items are found by this hash. It has a
// fixed width, is sortable, and has no collisions in practice.
import crypto from 'node:crypto'
import { sha256Of } from '@likeness/shared/data/sha256'

const hashBytes = 16

/** Faster, and absent from Node before 20.12. */
const hashOnce = (crypto as Partial<Pick<typeof crypto, 'hash'>>).hash

/** Returns 16 bytes; compared as bytes. */
export function itemHash(id: string): Buffer {
  return hashOnce === undefined
    ? sha256Of(id).subarray(0, hashBytes)
    : Buffer.from(hashOnce('sha256', id, 'binary').slice(0, hashBytes), 'latin1')
}

/** Returns the hash as a map key. */
export const hashName = (hash: Buffer): string => hash.toString('latin1')

/** Returns the name of a hash that is written in hex, as state lines have it. */
export const nameOfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1')
