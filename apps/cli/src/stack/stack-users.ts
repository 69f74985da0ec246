// Who uses the stack of a data folder: an empty file for each command, named after its process. A
// stack that a command started lives as long as one of them lives. A full disk has room for such a
// file.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'
import { isAlive, type LivingProcess, thisProcess } from './living-process.ts'
import { makePrivateFolder } from './private-files.ts'

const folderOf = (dataDir: string): string => join(dataDir, 'users')
const nameOf = (kind: 'uses' | 'keeps', { pid, startedAt }: LivingProcess): string =>
  `${kind}-${pid}-${startedAt}`

function parseName(name: string): LivingProcess | undefined {
  const [, pid, startedAt] = /^(?:uses|keeps)-(\d+)-(\d*)$/.exec(name) ?? []
  return pid === undefined ? undefined : { pid: Number(pid), startedAt: startedAt! }
}

function write(dataDir: string, name: string): void {
  makePrivateFolder(folderOf(dataDir))
  writeFileSync(join(folderOf(dataDir), name), '', { mode: 0o600 })
}

/**
 * This process uses the stack until the returned function is called, or until it ends. Register
 * before looking for the stack: see keep-while-used.ts.
 */
export function useStack(dataDir: string): () => void {
  const name = nameOf('uses', thisProcess())
  try {
    write(dataDir, name)
  } catch (error) {
    // A read-only folder: a stack that runs over it can be used all the same.
    if (findMachineFailure(error) === undefined) throw error
  }
  return () => rmSync(join(folderOf(dataDir), name), { force: true })
}

/** The stack of this owner stays when no command uses it any more: somebody asked for that. */
export const keepStack = (dataDir: string, owner: LivingProcess): void =>
  write(dataDir, nameOf('keeps', owner))

/** Whether a living process uses the stack, or the stack was asked to stay. */
export function isStackUsed(dataDir: string): boolean {
  let isUsed = false
  for (const name of namesIn(folderOf(dataDir))) {
    const known = parseName(name)
    if (known === undefined) continue
    if (isAlive(known)) isUsed = true
    else rmSync(join(folderOf(dataDir), name), { force: true })
  }
  return isUsed
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
