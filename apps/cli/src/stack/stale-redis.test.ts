import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { findFreePort } from './free-port.ts'
import { pingRedis } from './redis-ping.ts'
import { redisConfig } from './redis-process.ts'
import { stopStaleRedis } from './stale-redis.ts'

test('a redis that outlived its stack is ended, another process with that pid is not', async () => {
  const dir = temporaryFolder('stale')
  const port = await findFreePort()
  const redis = spawn('redis-server', ['-'], { stdio: ['pipe', 'ignore', 'ignore'] })
  redis.stdin.end(redisConfig({ port, password: 'p', dir }))
  const exited = once(redis, 'exit')
  while (!(await pingRedis({ port, password: 'p' })))
    await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await stopStaleRedis(dir)).toBe(redis.pid)
  expect(await exited).toEqual([0, null])

  writeFileSync(join(dir, 'redis.pid'), String(process.pid))
  expect(await stopStaleRedis(dir)).toBeUndefined()
  expect(await stopStaleRedis(dir)).toBeUndefined()
})
