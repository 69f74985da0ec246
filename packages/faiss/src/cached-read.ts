// Reads that never wait for the disk. They are unrelated to Faiss, but only the addon can make this
// call to Linux.
import { addon } from './addon.ts'

/**
 * Fills `out` from `position` on when all of the bytes are in the kernel's memory. This takes some
 * microseconds and uses only this thread. Returns false when some bytes are not in memory, when the
 * file ends before, or on systems other than Linux, which cannot tell. Then read the file in the
 * usual way.
 */
export const readCached = (fd: number, position: number, out: Uint8Array): boolean =>
  addon.readCached(fd, position, out)
