// Reads a picture of the store, whole in memory, within the upload limit.
import { isEngineKey } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import { readBounded } from '@likeness/store/read-bounded'
import type { ApiDeps } from '../api-deps.ts'

/** object_not_found, or too_large past MAX_UPLOAD_BYTES. */
export async function readPicture(
  { store, settings }: Pick<ApiDeps, 'store' | 'settings'>,
  key: string
): Promise<Uint8Array> {
  const bytes = await readBounded(store, key, settings.maxUploadBytes)
  if (bytes === undefined) throw appError('object_not_found', 'there is no picture under this key')
  return bytes
}

/** Reads a picture under a key that a client gives. forbidden_prefix for a key of the engine. */
export async function readClientPicture(
  deps: Pick<ApiDeps, 'store' | 'settings'>,
  key: string
): Promise<Uint8Array> {
  if (isEngineKey(key)) throw appError('forbidden_prefix', 'this key belongs to the engine')
  return readPicture(deps, key)
}
