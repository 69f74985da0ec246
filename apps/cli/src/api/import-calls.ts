// Calls that add items.
import { openAsBlob } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type VectorItem, writeArrowItems } from '@likeness/shared/contract/arrow/write-arrow-items'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import { type ApiRequest, inCollection } from './api-request.ts'

export interface Accepted {
  job: string
  total: number
}
export interface UploadFile {
  id: string
  label: string | null
  metadata: Record<string, unknown> | undefined
  /** Path on disk. The file is read during the upload. */
  file: string
}

export interface ImportCalls {
  /**
   * Imports the pictures of a list file (`path<TAB>label`) below a folder on the API's disk.
   * Resolves with the job when the import is accepted.
   */
  importList(collection: string, source: { root: string; listFile: string }): Promise<Accepted>
  /**
   * Imports lines that this program creates. A second call with the same `key` has no second effect
   * and returns the same job.
   */
  importLines(
    collection: string,
    source: { root: string; lines: readonly ListLine[]; key: string }
  ): Promise<Accepted>
  /** Uploads pictures, at most 1000; `key` is used like in `importLines`. */
  uploadPictures(collection: string, files: readonly UploadFile[], key: string): Promise<Accepted>
  /** Imports items with supplied vectors of `dim` values; `key` is used like in `importLines`. */
  importVectors(
    collection: string,
    source: { items: readonly VectorItem[]; dim: number; key: string }
  ): Promise<Accepted>
}

export function createImportCalls({ answer }: ApiRequest): ImportCalls {
  return {
    async importList(collection, { root, listFile }) {
      const form = new FormData()
      form.set('root', root)
      form.set('list', new Blob([await readFile(listFile)]), 'list.tsv')
      return answer(inCollection(collection, '/imports'), { method: 'POST', body: form })
    },
    async importLines(collection, { root, lines, key }) {
      const form = new FormData()
      form.set('root', root)
      form.set(
        'list',
        new Blob(
          lines.map((line) => `${JSON.stringify(line)}\n`),
          { type: 'application/x-ndjson' }
        ),
        'list.ndjson'
      )
      return answer(inCollection(collection, '/imports'), {
        method: 'POST',
        body: form,
        headers: { 'idempotency-key': key }
      })
    },
    async uploadPictures(collection, files, key) {
      const form = new FormData()
      for (const { id, label, metadata, file } of files) {
        form.append('label', label ?? '')
        form.append('metadata', metadata === undefined ? '' : JSON.stringify(metadata))
        form.append('id', id)
        form.append('image', await openAsBlob(file), 'image')
      }
      return answer(inCollection(collection, '/images'), {
        method: 'POST',
        body: form,
        headers: { 'idempotency-key': key }
      })
    },
    async importVectors(collection, { items, dim, key }) {
      const parts: Uint8Array[] = []
      for await (const part of writeArrowItems(items, { dim })) parts.push(part)
      return await answer(inCollection(collection, '/vectors'), {
        method: 'POST',
        body: Buffer.concat(parts),
        headers: { 'content-type': 'application/vnd.apache.arrow.stream', 'idempotency-key': key }
      })
    }
  }
}
