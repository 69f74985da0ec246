// Tests that the directory store fulfils the contract on a real file system.
import { openObjectStore } from '@likeness/store/open-store'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { describeObjectStore } from './object-store.contract.ts'

describeObjectStore('directory', async () => {
  const root = temporaryFolder('store')
  const address = { url: `dir:${root}` }
  return {
    store: await openObjectStore(address),
    address,
    uniqueEtags: true,
    listsBelowObjects: true
  }
})
