// Holds the pictures of some items back in the embed-workers until a test lets them pass.
import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'

export interface Gate {
  /** For `hooks.holdOnPrefix` of a stack. */
  holdOnPrefix: Record<string, string>
  open(): void
}

/** Closed, for items whose id begins with one of the prefixes. For the whole of a test file. */
export function createGate(...prefixes: readonly string[]): Gate {
  const file = join(tmpdir(), `likeness-gate-${randomUUID()}`)
  const open = () => rmSync(file, { force: true })
  beforeAll(() => writeFileSync(file, ''))
  afterAll(open)
  return { holdOnPrefix: Object.fromEntries(prefixes.map((prefix) => [prefix, file])), open }
}
