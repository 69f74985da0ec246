// Tests that the in-memory fake fulfils the contract, so that unit tests and the simulation may
// trust it.
import { createMemoryStore } from '@likeness/store/memory-store'
import { describeObjectStore } from './object-store.contract.ts'

describeObjectStore('memory', async () => ({
  store: createMemoryStore(),
  address: undefined,
  uniqueEtags: true,
  listsBelowObjects: true
}))

describeObjectStore('memory with etags of S3', async () => ({
  store: createMemoryStore({ etags: 'content' }),
  address: undefined,
  uniqueEtags: false,
  listsBelowObjects: true
}))
