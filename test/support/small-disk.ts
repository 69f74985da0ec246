// A small disk that can be full: a tmpfs whose size becomes what it holds. Needs the right to mount.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs'

export interface SmallDisk {
  /** From now on there is no room for a byte more. */
  fill(): void
  makeRoom(): void
  /** The files stay in the folder with `keep`. */
  remove(options: { keep: boolean }): void
}

const mount = (...args: string[]): boolean => spawnSync('mount', args).status === 0
const mostTries = 100

/** Mounts a disk on a new folder. undefined where this process may not mount. */
export function mountSmallDisk(folder: string, sizeBytes: number): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true })
  if (!mount('-t', 'tmpfs', '-o', `size=${sizeBytes},mode=0700`, 'likeness-test', folder))
    return undefined
  const usedBytes = (): number => {
    const { blocks, bfree, bsize } = statfsSync(folder)
    return (blocks - bfree) * bsize
  }
  const resize = (bytes: number): boolean => mount('-o', `remount,size=${bytes}`, folder)
  return {
    fill() {
      // The size must be no smaller than what is there, and others write meanwhile.
      for (let tries = 1; !resize(usedBytes()); tries++)
        if (tries === mostTries) throw new Error(`${folder} cannot be made full`)
    },
    makeRoom() {
      if (!resize(sizeBytes)) throw new Error(`${folder} gets no room`)
    },
    remove({ keep }) {
      const copy = `${folder}-kept`
      if (keep) cpSync(folder, copy, { recursive: true })
      // Lazy: a process that is just ending may still have a file open.
      spawnSync('umount', ['-l', folder])
      if (!keep) return
      rmSync(folder, { recursive: true, force: true })
      renameSync(copy, folder)
    }
  }
}
