// Opens the object store that the settings name. All processes use this file.
import { appError } from '@likeness/shared/errors'
import type { Troubles } from '@likeness/shared/process/troubles'
import type { ObjectStore } from './object-store.ts'
import { openObjectStore } from './open-store.ts'
import { probeObjectStore } from './probe.ts'
import { watchStore } from './watched-store.ts'

export const storeSettingNames = [
  'OBJECT_STORE',
  'S3_ENDPOINT',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'S3_REGION'
] as const

export interface StoreSettings {
  OBJECT_STORE: string
  S3_ENDPOINT?: string
  S3_ACCESS_KEY?: string
  S3_SECRET_KEY?: string
  S3_REGION: string
}

/** Throws invalid_request when an s3:// address lacks its endpoint or keys. */
export async function openConfiguredStore(settings: StoreSettings): Promise<ObjectStore> {
  const {
    OBJECT_STORE: url,
    S3_ENDPOINT: endpoint,
    S3_ACCESS_KEY: accessKey,
    S3_SECRET_KEY: secretKey,
    S3_REGION: region
  } = settings
  if (!url.startsWith('s3:')) return await openObjectStore({ url })
  if (endpoint === undefined || accessKey === undefined || secretKey === undefined)
    throw appError('invalid_request', `${url} needs S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY`)
  return await openObjectStore({ url, s3: { endpoint, accessKey, secretKey, region } })
}

/**
 * Opens the same store, and refuses a store that does not honour conditional writes, naming it. What
 * fails from then on is a trouble of this process.
 */
export async function openProbedStore(
  settings: StoreSettings,
  troubles: Troubles
): Promise<ObjectStore> {
  const store = await openConfiguredStore(settings)
  try {
    await probeObjectStore(store, settings.OBJECT_STORE)
  } catch (error) {
    await store.close()
    throw error
  }
  return watchStore(store, { troubles })
}
