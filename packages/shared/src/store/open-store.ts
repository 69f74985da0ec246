// The one place that knows which adapter an OBJECT_STORE address means.
import { appError } from '../errors.ts'
import { openDirectoryStore } from './directory-store.ts'
import type { ObjectStore } from './object-store.ts'

export interface OpenStoreOptions {
  /** `dir:/path` or `s3://bucket/prefix`; the prefix may be missing. */
  url: string
}

/** Rejects with `invalid_request` for any other address, `store_unavailable` when the store cannot be reached. */
export async function openObjectStore(options: OpenStoreOptions): Promise<ObjectStore> {
  if (/^dir:./.test(options.url)) return openDirectoryStore({ root: options.url.slice('dir:'.length) })
  throw appError('invalid_request', `The object store must be dir:/path or s3://bucket/prefix, not ${JSON.stringify(options.url)}.`)
}
