// SHA-256 of bytes that are in memory.
import { createHash } from 'node:crypto'

export const sha256Of = (bytes: Uint8Array | string): Buffer =>
  createHash('sha256').update(bytes).digest()

export const sha256Hex = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex')
