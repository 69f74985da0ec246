// The folder in DATA_DIR that belongs to a process alone. A process that starts takes the first one
// that no living process holds, so it finds what the process before it kept, also after a kill.
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from './logger.ts'

export interface OwnFolder {
  dir: string
  /** Lets the next process have the folder. The end of this process does the same. */
  release(): void
}

const mostFolders = 100
/** Time between two marks that say that the folder is in use. */
const markEveryMs = 600_000
/** A folder that no process held for this time is removed. */
export const abandonedAfterMs = 24 * 3_600_000
/** `flock` answers with this code when another process holds the lock. */
const heldCode = 1

/**
 * Takes DATA_DIR/{name}-1, or the first one after it that is free. Removes free ones that nobody has
 * used for a day. The lock is one of the kernel (flock) on a file beside the folder, so it ends with
 * the process, however it ends.
 */
export async function claimFolder(
  dataDir: string,
  name: string,
  logger?: Logger
): Promise<OwnFolder> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  for (let n = 1; n <= mostFolders; n++) {
    const dir = join(dataDir, `${name}-${n}`)
    const lock = await tryLock(lockOf(dir), logger)
    if (lock === undefined) continue
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await mark(dir)
    const marks = setInterval(() => void mark(dir).catch(() => undefined), markEveryMs)
    marks.unref()
    await removeAbandoned(dataDir, name, logger)
    return {
      dir,
      release() {
        clearInterval(marks)
        closeSync(lock)
      }
    }
  }
  throw new Error(`${mostFolders} processes share ${dataDir}: give them folders of their own`)
}

const lockOf = (dir: string): string => `${dir}.lock`

async function mark(dir: string): Promise<void> {
  const now = new Date()
  await utimes(lockOf(dir), now, now)
}

/** The open, locked file; undefined when another process holds it. The file is never removed. */
async function tryLock(path: string, logger: Logger | undefined): Promise<number | undefined> {
  const file = openSync(path, 'a', 0o600)
  try {
    const { code, text } = await runFlock(file)
    if (code === 0) return file
    if (code !== heldCode) {
      logger?.warn(
        { path, code, text },
        'DATA_DIR cannot be locked: no other process may have the same one'
      )
      return file
    }
  } catch (error) {
    closeSync(file)
    throw error
  }
  closeSync(file)
  return undefined
}

/** The lock belongs to the open file, which this process shares with the program that takes it. */
async function runFlock(file: number): Promise<{ code: number | null; text: string }> {
  const child = spawn('flock', ['--nonblock', '--exclusive', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', file]
  })
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, text: error.message }))
    child.once('close', (code) => resolve({ code, text: text.trim() }))
  })
}

async function removeAbandoned(
  dataDir: string,
  name: string,
  logger: Logger | undefined
): Promise<void> {
  for (const entry of await readdir(dataDir)) {
    const dir = join(dataDir, entry)
    if (!entry.startsWith(`${name}-`) || !/^\d+$/.test(entry.slice(name.length + 1))) continue
    const lockFile = await stat(lockOf(dir)).catch(() => undefined)
    if (lockFile === undefined || Date.now() - lockFile.mtimeMs < abandonedAfterMs) continue
    const lock = await tryLock(lockOf(dir), logger)
    if (lock === undefined) continue
    try {
      await rm(dir, { recursive: true, force: true })
      logger?.info({ dir }, 'a folder that no process used any more was removed')
    } finally {
      closeSync(lock)
    }
  }
}

/** Makes a folder without the files that an earlier process left. `dir`: a folder of one's own. */
export async function emptyFolder(dir: string, name: string): Promise<string> {
  const path = join(dir, name)
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { recursive: true, mode: 0o700 })
  return path
}

/** Removes the folders of programs before 0.4, which stood in DATA_DIR itself. */
export async function removeFormerFolders(
  dataDir: string,
  names: readonly string[]
): Promise<void> {
  for (const name of names) await rm(join(dataDir, name), { recursive: true, force: true })
}
