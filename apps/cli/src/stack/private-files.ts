// What belongs to a stack is for its user alone: folders 0700, files 0600.
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

const privateFolder = 0o700
const othersMask = 0o077

/** Starts a child whose files and folders are private. Files of this process itself are not. */
export function withPrivateFiles<T>(start: () => T): T {
  const before = process.umask(othersMask)
  try {
    return start()
  } finally {
    process.umask(before)
  }
}

/** Makes the folder, or takes the rights of others away from the one that is there. */
export function makePrivateFolder(folder: string): void {
  makeFolders(folder)
  tighten(folder)
}

/** The parents too. Node's own recursive call hides the reason on a read-only file system. */
function makeFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolders(parent)
  try {
    mkdirSync(folder, { mode: privateFolder })
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function tighten(folder: string): void {
  const { mode, uid } = statSync(folder)
  if ((mode & othersMask) !== 0 && uid === process.getuid?.()) chmodSync(folder, privateFolder)
}

/** What this program puts into a data folder. */
const ours = new Set(['stack', 's3', 'models', 'eval', 'examples', 'demo'])

/**
 * Makes the data folder of a stack with the stack's own folder in it. A folder that holds other
 * things too is left as it is: only the stack in it is private.
 */
export function makeDataFolder(stackDir: string): void {
  const top = join(stackDir, '..')
  const isThere = statSync(top, { throwIfNoEntry: false }) !== undefined
  if (!isThere || readdirSync(top).every((name) => ours.has(name))) makePrivateFolder(top)
  makePrivateFolder(stackDir)
}
