// GET /v1/collections/:c/verify: checks every file of the committed version against the manifest,
// as lines of progress. The last line is the report.
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyCollection as verify } from '@likeness/engine'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { sendNdjson } from '../http/send-ndjson.ts'

const progressMs = 1_000

/** Yields the progress of `verify` at most every second. The report comes last. */
async function* linesOf(
  { store, clock, settings }: ApiDeps,
  collectionId: string
): AsyncGenerator<object> {
  const scratchDir = await mkdtemp(join(settings.spoolDir, 'verify-'))
  let progress = { files: 0, bytes: 0 }
  let over = false
  const report = verify({
    store,
    collectionId,
    scratchDir,
    onProgress: (now) => (progress = now)
  }).finally(() => (over = true))
  try {
    for (;;) {
      await Promise.race([report.catch(() => undefined), clock.sleep(progressMs)])
      if (over) break
      yield progress
    }
    yield await report
  } finally {
    await report.catch(() => undefined)
    await rm(scratchDir, { recursive: true, force: true })
  }
}

export function verifyCollection(deps: ApiDeps): Route {
  let running = false
  return {
    method: 'get',
    path: '/v1/collections/:c/verify',
    async handle(req, res) {
      const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'), {
        fresh: true
      })
      // A verification reads all objects of the collection, so only a single verification runs at a
      // time.
      if (running)
        throw appError('overloaded', 'another collection is being verified by this process', {
          retryAfterS: 10
        })
      running = true
      try {
        await sendNdjson(res, linesOf(deps, collectionId))
      } finally {
        running = false
      }
    }
  }
}
