// The directory store keeps the contract on a real file system.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { openObjectStore } from '@likeness/store/open-store'
import { describeObjectStore } from './object-store.contract.ts'

const roots: string[] = []

describeObjectStore('directory', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'likeness-store-'))
  roots.push(root)
  const address = { url: `dir:${root}` }
  return {
    store: await openObjectStore(address),
    address,
    uniqueEtags: true,
    listsBelowObjects: true
  }
})

afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true, force: true })
})
