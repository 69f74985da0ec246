// Where the bench keeps its objects: in a directory, or in a real S3 server whose requests are counted.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '@likeness/store/object-store'
import { openObjectStore } from '@likeness/store/open-store'
import type { S3Settings } from '../../apps/cli/src/stack/app-environment.ts'
import { startS3Server } from '../../test/support/s3-server.ts'
import { type RequestCounts, startCountingProxy } from './counting-proxy.ts'

export interface Kept {
  files: number
  folders: number
  /** Bytes of blocks in a directory, of objects in S3. */
  bytes: number
  /** Of the segments alone, and of the packs. */
  segmentBytes: number
  packBytes: number
}
export interface Place {
  /** For the processes of the stack. */
  objectStore: 'dir' | S3Settings
  open(): Promise<ObjectStore>
  kept(): Promise<Kept>
  /** Requests since the last call; undefined in a directory. */
  takeRequests(): RequestCounts | undefined
  close(): Promise<void>
}

const nothing = (): Kept => ({ files: 0, folders: 0, bytes: 0, segmentBytes: 0, packBytes: 0 })
function count(kept: Kept, path: string, size: number): void {
  kept.files++
  // Folders of a directory store end with ~.
  if (/\/seg[~/]/.test(path)) kept.segmentBytes += size
  if (/\/pack[~/]/.test(path)) kept.packBytes += size
}

/** `dataDir`: of the stack. */
export function directoryPlace(dataDir: string): Place {
  const root = join(dataDir, 'objects')
  return {
    objectStore: 'dir',
    open: () => openObjectStore({ url: `dir:${root}` }),
    async kept() {
      const kept = nothing()
      for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name)
        const { size, blocks } = await stat(path)
        kept.bytes += blocks * 512
        if (entry.isFile()) count(kept, path, size)
        else kept.folders++
      }
      return kept
    },
    takeRequests: () => undefined,
    close: async () => undefined
  }
}

export async function s3Place(): Promise<Place> {
  const server = await startS3Server({ say: (line) => process.stderr.write(`${line}\n`) })
  const proxy = await startCountingProxy(server.endpoint)
  const { accessKey, secretKey } = server
  const s3 = { endpoint: proxy.endpoint, accessKey, secretKey }
  const bucket = `age-${Date.now()}`
  const open = () => openObjectStore({ url: `s3://${bucket}`, s3 })
  return {
    objectStore: { ...s3, bucket },
    open,
    async kept() {
      const kept = nothing()
      const store = await open()
      for await (const { key, sizeBytes } of store.list('')) {
        count(kept, `/${key}`, sizeBytes)
        kept.bytes += sizeBytes
      }
      await store.close()
      return kept
    },
    takeRequests: () => proxy.take(),
    async close() {
      await proxy.close()
      await server.stop()
    }
  }
}
