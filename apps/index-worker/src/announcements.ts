// Notifications of a writer to the other processes.
import type { Catalog, WriterDeps } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { toStored } from '@likeness/shared/contract/stored-names'
import { channels } from '@likeness/shared/contract/work'
import type { Hints } from '@likeness/shared/process/hints'

export interface Announcements {
  announce: WriterDeps['announce']
  tellCatalog(spec: CollectionSpec): Promise<void>
}

export const createAnnouncements = (
  hints: Hints,
  catalog: Pick<Catalog, 'setListed'>
): Announcements => ({
  announce: (commit) => hints.send(channels.committed, toStored(commit), commit.collectionId),
  async tellCatalog(spec) {
    const { name } = spec
    if (await catalog.setListed(spec)) hints.send(channels.catalog, { name }, name)
  }
})
