// Finds a Redis that outlived a killed stack, by pid file and working directory, and ends that
// Redis before a new one opens the same files.
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** True when `pid` is a redis-server working in `dir`; false where the system has no /proc. */
function isRedisIn(dir: string, pid: number): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-server') &&
      readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dir)
    )
  } catch {
    return false
  }
}

/** Returns the pid that was ended, if any. */
export async function stopStaleRedis(
  dir: string,
  { deadlineMs = 5_000 }: { deadlineMs?: number } = {}
): Promise<number | undefined> {
  const file = join(dir, 'redis.pid')
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, 'utf8').trim())
  if (!Number.isInteger(pid) || pid <= 1 || !isRedisIn(dir, pid)) {
    rmSync(file, { force: true })
    return undefined
  }
  process.kill(pid, 'SIGTERM')
  const killAtMs = Date.now() + deadlineMs
  while (isRedisIn(dir, pid)) {
    if (Date.now() > killAtMs) process.kill(pid, 'SIGKILL')
    await pause(50)
  }
  return pid
}
