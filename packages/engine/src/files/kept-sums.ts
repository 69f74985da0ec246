// The sums of a local file, kept in a file beside it. With them a process that starts again reads a
// large file by blocks, each checked when it is read, and not whole before the first read.
import { createHash } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createUlid } from '@likeness/shared/data/ulid'
import type { FileRef } from '../version/manifest.ts'
import { BlockSums } from './block-sums.ts'

const suffix = '.sums'
const digestBytes = 32
const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const sumsPath = (path: string): string => `${path}${suffix}`

/**
 * The content: sha256 of the file that the sums are of, the sums, sha256 of both. Does nothing when
 * the disk takes no more: the sums only save time.
 */
export async function keepSums(path: string, ref: FileRef, sums: BlockSums): Promise<void> {
  const body = sums.bytes()
  const of = Buffer.from(ref.sha256, 'hex')
  const temporary = `${sumsPath(path)}.${createUlid()}.part`
  try {
    await writeFile(temporary, Buffer.concat([of, body, sha256(of, body)]))
    await rename(temporary, sumsPath(path))
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/**
 * Returns undefined unless there is a file of the right size whose sums are here and whole. Its
 * bytes are not read.
 */
export async function readKeptSums(path: string, ref: FileRef): Promise<BlockSums | undefined> {
  try {
    if ((await stat(path)).size !== ref.sizeBytes) return undefined
    const kept = await readFile(sumsPath(path))
    const end = kept.byteLength - digestBytes
    if (end < digestBytes) return undefined
    const of = kept.subarray(0, digestBytes)
    const body = kept.subarray(digestBytes, end)
    if (of.toString('hex') !== ref.sha256 || !sha256(of, body).equals(kept.subarray(end)))
      return undefined
    return BlockSums.of(body, ref.sizeBytes)
  } catch {
    return undefined
  }
}
