// A lock for a single stack per data directory: a pid file of a living process. The start time
// tells a recycled pid apart.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../user-error.ts'
import { isAlive, type LivingProcess, thisProcess } from './living-process.ts'

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parseOwner(text: string): LivingProcess | undefined {
  const [pid, startedAt = ''] = text.trim().split(' ')
  return /^\d+$/.test(pid ?? '') ? { pid: Number(pid), startedAt } : undefined
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Locks the directory or throws a UserError that names the process with the lock. The result
 * unlocks the directory.
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, 'stack.pid')
  const mine = `${file}.${process.pid}`
  const { pid, startedAt } = thisProcess()
  const text = `${pid} ${startedAt}\n`
  writeFileSync(mine, text, { mode: 0o600 })
  try {
    while (!tryLink(mine, file)) removeIfStale(file, `${mine}.stale`, dataDir)
  } finally {
    rmSync(mine, { force: true })
  }
  return () => {
    if (readText(file) === text) rmSync(file, { force: true })
  }
}

/** Id of the living process that holds the directory. */
export const ownerOfDataDir = (dataDir: string): number | undefined => findOwner(dataDir)?.pid

export function findOwner(dataDir: string): LivingProcess | undefined {
  const owner = parseOwner(readText(join(dataDir, 'stack.pid')) ?? '')
  return owner !== undefined && isAlive(owner) ? owner : undefined
}

function removeIfStale(file: string, aside: string, dataDir: string): void {
  const seen = readText(file)
  if (seen === undefined) return
  const owner = parseOwner(seen)
  if (owner !== undefined && isAlive(owner)) {
    throw new UserError(
      `${dataDir} is in use by process ${owner.pid}: stop it first, or give another --data folder`
    )
  }
  try {
    renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  // Between reading and renaming, another process may have replaced the stale file by its own.
  if (readText(aside) !== seen) tryLink(aside, file)
  rmSync(aside, { force: true })
}
