// Reads that do not wait. Not Faiss's business, but the addon is the one place from which Linux can be asked.
import { addon } from './addon.ts'

/**
 * Fills `out` from `position` on when all of it is in the kernel's memory: some microseconds, and no thread but this one.
 * False when it is not, when the file ends before, or where the system cannot tell (other than Linux): then read it as any file.
 */
export const readCached = (fd: number, position: number, out: Uint8Array): boolean =>
  addon.readCached(fd, position, out)
