// Address of the stack of a data folder: written by the process that holds the folder, and valid
// only while that process lives.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ownerOfDataDir } from './data-dir-lock.ts'

const addressSchema = z.object({
  pid: z.number().int(),
  apiUrl: z.url(),
  redisUrl: z.string(),
  /** The stack ends when no command uses it. */
  whileUsed: z.boolean().optional()
})
export type StackAddress = z.infer<typeof addressSchema>

const fileOf = (dataDir: string): string => join(dataDir, 'stack.json')

/**
 * Only readable by the user: the address of redis holds a password. The result removes the file.
 */
export function publishAddress(dataDir: string, address: Omit<StackAddress, 'pid'>): () => void {
  const file = fileOf(dataDir)
  writeFileSync(`${file}.new`, `${JSON.stringify({ pid: process.pid, ...address })}\n`, {
    mode: 0o600
  })
  renameSync(`${file}.new`, file)
  return () => rmSync(file, { force: true })
}

/**
 * Returns the address of the stack that runs over this folder; undefined when no stack runs, or
 * when the stack has not started completely.
 */
export function findStack(dataDir: string): StackAddress | undefined {
  const pid = ownerOfDataDir(dataDir)
  if (pid === undefined) return undefined
  const address = readAddress(dataDir)
  return address?.pid === pid ? address : undefined
}

function readAddress(dataDir: string): StackAddress | undefined {
  try {
    return addressSchema.parse(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
