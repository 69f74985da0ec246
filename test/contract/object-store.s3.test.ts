// The S3 store keeps the contract on a real S3 server; where there is none, a skipped test says so.
import { randomUUID } from 'node:crypto'
import { afterAll, describe, it } from 'vitest'
import { openObjectStore } from '@likeness/store/open-store'
import { startMinio } from '../support/minio.ts'
import { describeObjectStore } from './object-store.contract.ts'

// `npm test` takes a server that is there and builds none.
const { S3_TESTS, S3_TEST_ENDPOINT } = process.env
const server = S3_TESTS === 'at-hand' && !S3_TEST_ENDPOINT ? undefined : await startMinio()
if (S3_TESTS === 'required' && !server) throw new Error('S3_TESTS=required, and there is no S3 server')

if (server) {
  const { endpoint, accessKey, secretKey } = server
  const address = { url: `s3://likeness-test/run-${randomUUID()}`, s3: { endpoint, accessKey, secretKey } }

  describeObjectStore('S3', async () => ({ store: await openObjectStore(address), address, uniqueEtags: false, listsBelowObjects: false }))

  afterAll(async () => {
    const store = await openObjectStore(address)
    const keys: string[] = []
    for await (const { key } of store.list('')) keys.push(key)
    await store.delete(keys)
    await store.close()
    await server.stop()
  })
} else {
  describe('object store: S3', () => {
    it.skip('DID NOT RUN: no MinIO, no Go >= 1.24 to build it, no S3_TEST_ENDPOINT; or S3_TESTS=at-hand', () => {})
  })
}
