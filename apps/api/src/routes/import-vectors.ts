// POST /v1/collections/:c/vectors: items with supplied vectors become a job, without an
// embed-worker.
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { contextOf } from '../http/request-context.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { answerOnce, isKeyed } from '../idempotency/answer-once.ts'
import { arrowTypes } from '../ingest/arrow-items.ts'
import {
  abandonIngestion,
  acceptIngestion,
  answerAccepted,
  ingestIntentSchema,
  prepareIngestion
} from '../ingest/ingestion.ts'
import { receiveVectors } from '../ingest/receive-vectors.ts'

const vectorTypes = ['application/x-ndjson', ...arrowTypes]

export const importVectors = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/vectors',
  async handle(req, res) {
    if (!req.is(vectorTypes))
      throw appError('unsupported_media_type', `send content-type: ${vectorTypes.join(' or ')}`)
    const keyed = isKeyed(req)
    const { store, clock, settings } = deps
    const spec = await resolveCollection(deps, pathParameter(req, 'c'))
    await deps.logAppender.admit(spec.collectionId)
    const draft = {
      ingestion: createUlid(clock.nowMs()),
      spec,
      source: 'vectors',
      requestId: contextOf(res).requestId,
      keyed,
      given: true
    }
    const abandon = () => abandonIngestion(deps, draft)
    const received = await receiveVectors(req, {
      store,
      spec,
      ingestion: draft.ingestion,
      maxBytes: settings.maxUploadBytes,
      nowMs: clock.nowMs,
      keyed
    }).catch(async (error: unknown) => {
      await abandon()
      throw error
    })
    await answerOnce(deps, req, res, {
      content: received.sha256,
      intentSchema: ingestIntentSchema,
      prepare: () =>
        prepareIngestion(deps, { ...draft, partSize: received.partSize }, received.lines),
      act: (intent) => acceptIngestion(deps, intent),
      answerLogged: (intent) => answerAccepted(deps, intent, spec.collectionId),
      abandon
    })
  }
})
