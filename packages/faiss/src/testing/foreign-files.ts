// Plain Faiss files for tests: the files of exportTo, and the same files inside an id map that is
// added byte by byte.
import { readFile, writeFile } from 'node:fs/promises'

const headerEnd = 4 + 4 + 8 + 16 + 1 + 4

/** Wraps a plain file in an IndexIDMap of the given ids. */
export async function wrapInIdMap(plain: string, ids: bigint[], wrapped: string): Promise<void> {
  const inner = await readFile(plain)
  const tail = Buffer.alloc(8 + 8 * ids.length)
  tail.writeBigUInt64LE(BigInt(ids.length))
  ids.forEach((id, i) => tail.writeBigInt64LE(id, 8 + 8 * i))
  await writeFile(
    wrapped,
    Buffer.concat([Buffer.from('IxMp'), inner.subarray(4, headerEnd), inner, tail])
  )
}
