// Tests the queue of the chunk scheduler while Redis goes away and comes back. Feeding fails at
// once, and works again when Redis is back. The queue may be created before or after that.
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import type { ChunkJob } from '@likeness/shared/contract/work'
import { createUlid } from '@likeness/shared/data/ulid'
import { silentLogger } from '@likeness/shared/process/logger'
import { connectRedis, type Redis } from '@likeness/shared/process/redis'
import { createChunkQueue } from '../../../apps/index-worker/src/chunk-queue.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

let server: TestRedis
let redis: Redis
let queue: ReturnType<typeof createChunkQueue>
let proxy: Server | undefined
beforeEach(async () => void (server = await startRedis()))
afterEach(async () => {
  await queue.close()
  redis.disconnect()
  proxy?.close()
  proxy = undefined
  await server.stop()
})

function open(url: string): void {
  redis = connectRedis({ url, role: 'producer', logger: silentLogger() })
  queue = createChunkQueue({ redis, kind: 'bulk' })
}
const chunk = (): ChunkJob => ({
  collectionId: createUlid(),
  ingestion: createUlid(),
  firstOrdinal: 0,
  size: 1,
  embedding: { version: 'v', dim: 1, unit: true },
  enrolment: enrolmentSchema.parse({ view_sizes: [] }),
  feeding: 1
})
async function feeds(): Promise<boolean> {
  const job = chunk()
  await queue.add([job])
  return (await queue.has([job, chunk()])).join() === 'true,false'
}
const feedsAgain = () => expect.poll(() => feeds().catch(() => false)).toBe(true)

test('made while Redis is away it refuses at once, and feeds when Redis is there', async () => {
  await server.kill()
  open(server.url)
  await expect(queue.add([chunk()])).rejects.toMatchObject({ code: 'queue_unavailable' })
  await server.start()
  await feedsAgain()
  await server.kill()
  await expect
    .poll(() =>
      queue.has([chunk()]).then(
        () => 'answered',
        (error: { code?: string }) => error.code
      )
    )
    .toBe('queue_unavailable')
  await server.start()
  await feedsAgain()
})

/**
 * Starts a Redis that accepts the first connection. The Redis is away after the first command of
 * the ready connection.
 */
async function startFleeting(): Promise<{ url: string; comeBack: () => void }> {
  let isAway = false
  proxy = createServer((client) => {
    if (isAway) return void client.destroy()
    const upstream = connect(server.port, '127.0.0.1')
    let asked = 0
    client.on('data', (data) => {
      asked += data.toString().split('$4\r\ninfo').length - 1
      isAway ||= asked > 1
      if (isAway) client.destroy()
      else upstream.write(data)
    })
    upstream.on('data', (data) => client.write(data))
    for (const socket of [client, upstream])
      socket
        .on('error', () => undefined)
        .on('close', () => [client, upstream].forEach((one) => one.destroy()))
  })
  await new Promise<void>((resolve) => proxy!.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    comeBack: () => void (isAway = false)
  }
}

test('made just before Redis goes away it feeds when Redis is back', async () => {
  const { url, comeBack } = await startFleeting()
  open(url)
  await feeds().catch(() => false)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  comeBack()
  await feedsAgain()
})
