// The files of an export, written beside the last export and put in place together. `export.json`
// exists only when the other files belong to it.
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../user-error.ts'

export const fileNames = {
  index: 'vector.index',
  rows: 'id_map.ndjson',
  pickle: 'id_map.pkl',
  note: 'export.json'
} as const

export interface ExportFolder {
  /** Path of a file until `publish`. */
  path(name: string): string
  /** Durable when resolved. */
  publish(): Promise<void>
  /** Deletes files that were written and not published. */
  discard(): Promise<void>
}

const scratchName = /^\.export-(\d+)$/

/** UserError when the folder cannot be written. */
export async function openExportFolder(dir: string): Promise<ExportFolder> {
  const scratch = join(dir, `.export-${process.pid}`)
  try {
    await mkdir(dir, { recursive: true })
    await sweep(dir)
    await mkdir(scratch)
  } catch (error) {
    throw new UserError(`${dir} cannot be written: ${(error as Error).message}`)
  }
  return {
    path: (name) => join(scratch, name),
    async publish() {
      const { note, ...others } = fileNames
      for (const name of Object.values(fileNames)) await syncPath(join(scratch, name))
      await rm(join(dir, note), { force: true })
      await syncPath(dir)
      for (const name of [...Object.values(others), note])
        await rename(join(scratch, name), join(dir, name))
      await syncPath(dir)
      await rm(scratch, { recursive: true, force: true })
    },
    discard: () => rm(scratch, { recursive: true, force: true })
  }
}

/** Deletes the scratch folders of killed exports. */
async function sweep(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const pid = Number(scratchName.exec(name)?.[1])
    if (pid === process.pid || (!Number.isNaN(pid) && !isRunning(pid)))
      await rm(join(dir, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
