// GET /livez: the process answers. GET /readyz: checks each part, 503 when a part is not well.
import { messageOf } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import type { Route } from '../http/route.ts'
import type { ReadinessCheck } from '../workers/readiness.ts'

const checkTimeoutMs = 3_000

export const livez: Route = {
  method: 'get',
  path: '/livez',
  handle: (_req, res) => void res.json({ status: 'ok' })
}

async function runCheck(check: ReadinessCheck): Promise<{ ok: boolean; reason?: string }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), checkTimeoutMs)
  })
  try {
    await Promise.race([check(), late])
    return { ok: true }
  } catch (error) {
    return { ok: false, reason: messageOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

export const readyz = ({ readiness }: ApiDeps): Route => ({
  method: 'get',
  path: '/readyz',
  async handle(_req, res) {
    const parts = Object.fromEntries(
      await Promise.all(
        Object.entries(readiness).map(
          async ([name, check]) => [name, await runCheck(check)] as const
        )
      )
    )
    const ready = Object.values(parts).every(({ ok }) => ok)
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', parts })
  }
})
