// The object store that the settings name; supervisor and children open it the same way.
import { openObjectStore } from '@likeness/shared/store/open-store'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import type { ChildConfig } from './config.ts'

export function openStore(config: Pick<ChildConfig, 'OBJECT_STORE'>): Promise<ObjectStore> {
  return openObjectStore({ url: config.OBJECT_STORE })
}
