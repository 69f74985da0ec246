// Holds the pictures of some items in the embed-workers until a test opens the gate.
import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'

export interface Gate {
  /** Value for `hooks.holdOnPrefix` of a stack. */
  holdOnPrefix: Record<string, string>
  open(): void
}

/**
 * Creates a closed gate for items whose id begins with one of the prefixes. A gate serves a whole
 * test file.
 */
export function createGate(...prefixes: readonly string[]): Gate {
  const file = join(tmpdir(), `likeness-gate-${randomUUID()}`)
  const open = () => rmSync(file, { force: true })
  beforeAll(() => writeFileSync(file, ''))
  afterAll(open)
  return { holdOnPrefix: Object.fromEntries(prefixes.map((prefix) => [prefix, file])), open }
}
