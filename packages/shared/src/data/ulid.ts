// ULIDs: 48 bits of milliseconds and 80 random bits, sortable as text. Used as ids of collections,
// ingestions, segments and commits.
import { randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
export const ulidPattern = /^[0-9A-HJKMNP-TV-Z]{26}$/

/** `random` (10 bytes) is a parameter so that simulations can be replayed. */
export function createUlid(
  nowMs: number = Date.now(),
  random: Uint8Array = randomBytes(10)
): string {
  let text = ''
  let time = nowMs
  for (let i = 0; i < 10; i++) {
    text = alphabet[time % 32]! + text
    time = Math.floor(time / 32)
  }
  let bits = 0
  let held = 0
  for (const byte of random) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(held >>> bits) & 31]!
    }
    held &= (1 << bits) - 1
  }
  return text
}

/** Returns the time of a ULID in milliseconds since the epoch. */
export function ulidTimeMs(ulid: string): number {
  let time = 0
  for (const char of ulid.slice(0, 10)) time = time * 32 + alphabet.indexOf(char)
  return time
}
