// Tests that the S3 store fulfils the contract on a real S3 server. Without an available server a
// skipped test says so. With S3_TESTS=required the test gets the server; when this fails, this file
// fails.
import { randomUUID } from 'node:crypto'
import { afterAll, describe, it } from 'vitest'
import { openObjectStore } from '@likeness/store/open-store'
import { s3ServerAtHand, startS3Server } from '../support/s3-server.ts'
import { describeObjectStore } from './object-store.contract.ts'

const wanted = process.env.S3_TESTS === 'required' || (await s3ServerAtHand())

if (wanted) {
  const server = await startS3Server()
  const { endpoint, accessKey, secretKey } = server
  const s3 = { endpoint, accessKey, secretKey }
  const address = { url: `s3://likeness-test/run-${randomUUID()}`, s3 }

  describeObjectStore('S3', async () => ({
    store: await openObjectStore(address),
    address,
    uniqueEtags: false,
    listsBelowObjects: false
  }))

  afterAll(async () => {
    const store = await openObjectStore(address)
    const keys: string[] = []
    for await (const { key } of store.list('')) keys.push(key)
    await store.delete(keys)
    await store.close()
    await server.stop()
  })
} else {
  const how = 'npm run test:all gets one, or node --import tsx test/support/get-s3-server.ts'
  const line = '!'.repeat(100)
  console.log(`${line}\nNOT RUN ON S3: no S3 server at hand. ${how}\n${line}`)
  describe('object store: S3', () => {
    it.skip(`DID NOT RUN: no S3 server at hand; ${how}`, () => {})
  })
}
