// POST /v1/collections/:c/images: many pictures in a single multipart body become a job.
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { requireEmbedder } from '../embedder/require-embedder.ts'
import { isMultipart } from '../http/request-body.ts'
import { contextOf } from '../http/request-context.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { answerOnce, isKeyed } from '../idempotency/answer-once.ts'
import {
  abandonIngestion,
  acceptIngestion,
  answerAccepted,
  ingestIntentSchema,
  pictureKey,
  prepareIngestion
} from '../ingest/ingestion.ts'
import { receiveUpload } from '../ingest/receive-upload.ts'
import { checkRepeatedPictures } from '../ingest/repeated-pictures.ts'

export const uploadImages = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/images',
  async handle(req, res) {
    if (!isMultipart(req))
      throw appError('unsupported_media_type', 'send content-type: multipart/form-data')
    const keyed = isKeyed(req)
    const spec = await resolveCollection(deps, pathParameter(req, 'c'))
    await deps.logAppender.admit(spec.collectionId)
    // A request with a key may be a retry. A retry gets its first answer, even when no embed-worker
    // makes the embedding now.
    if (!keyed) await requireEmbedder(deps, spec)
    const { requestId } = contextOf(res)
    const ingestion = createUlid(deps.clock.nowMs())
    const draft = { ingestion, spec, source: 'upload', requestId, keyed }
    const abandon = () => abandonIngestion(deps, draft)
    const target = {
      store: deps.store,
      keyOf: (n: number) => pictureKey(spec, draft.ingestion, n),
      maxBytes: deps.settings.maxUploadBytes
    }
    const uploaded = await receiveUpload(req, target).catch(async (error: unknown) => {
      await abandon()
      throw error
    })
    const lines = uploaded.map(({ line }) => line)
    const items = lines.map(({ ordinal, id }) => ({ ordinal, id }))
    await answerOnce(deps, req, res, {
      content: uploaded.map(({ line: { id, label, metadata }, digest }) => [
        id,
        label,
        metadata ?? null,
        digest
      ]),
      intentSchema: ingestIntentSchema,
      prepare: async () => {
        checkRepeatedPictures(uploaded)
        await requireEmbedder(deps, spec)
        return { ...(await prepareIngestion(deps, draft, lines)), items }
      },
      act: (intent) => acceptIngestion(deps, intent),
      answerLogged: (intent) => answerAccepted(deps, intent, spec.collectionId),
      abandon
    })
  }
})
