import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { sha256Hex } from '@likeness/shared/data/sha256'

/** Bytes hashed before other work gets a turn: 3 ms. */
const hashedPerTurn = 4 * 1024 * 1024

/** Hashes a body that may be large, with pauses in which other work gets a turn. */
export async function sha256InTurns(body: Uint8Array): Promise<string> {
  if (body.byteLength <= hashedPerTurn) return sha256Hex(body)
  const hash = createHash('sha256')
  for (let at = 0; at < body.byteLength; at += hashedPerTurn) {
    hash.update(body.subarray(at, at + hashedPerTurn))
    await setImmediate()
  }
  return hash.digest('hex')
}
