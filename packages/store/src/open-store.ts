// Chooses the adapter for an OBJECT_STORE address. Only this file knows them all.
import { appError } from '@likeness/shared/errors'
import { openDirectoryStore } from './directory-store.ts'
import { checkKey } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import type { S3Options } from './s3-client.ts'

export interface OpenStoreOptions {
  /** `dir:/path` or `s3://bucket/prefix`. The prefix may be missing. */
  url: string
  /** Needed for an `s3://` address. */
  s3?: S3Options
}

/**
 * Rejects with `invalid_request` for any other address, and with `store_unavailable` when the store
 * cannot be reached.
 */
export async function openObjectStore({ url, s3 }: OpenStoreOptions): Promise<ObjectStore> {
  if (/^dir:./.test(url)) return openDirectoryStore({ root: url.slice('dir:'.length) })
  const address = parseS3Url(url)
  if (!address)
    throw appError(
      'invalid_request',
      `The object store must be dir:/path or s3://bucket/prefix, not ${JSON.stringify(url)}.`
    )
  if (!s3)
    throw appError('invalid_request', `${url} needs an endpoint, an access key and a secret key.`)
  // Loaded only here, on use: the S3 client adds a third of a second to the start of a process.
  const { openS3Store } = await import('./s3-store.ts')
  return openS3Store(address, s3)
}

/**
 * Returns undefined when the text is no S3 address. Throws `invalid_key` for a prefix that no key
 * can have.
 */
export function parseS3Url(url: string): { bucket: string; prefix: string } | undefined {
  const [, bucket, rest = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(url) ?? []
  if (!bucket) return undefined
  const prefix = rest.replace(/\/$/, '')
  if (prefix !== '') checkKey(prefix)
  return { bucket, prefix }
}
