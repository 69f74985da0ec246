// POST /v1/collections/:c/imports: a prefix of the store or a folder on disk, with or without a
// list file, becomes a job.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { isEngineKey } from '@likeness/shared/contract/keys'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { checkPrefix } from '@likeness/store/object-key'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { requireEmbedder } from '../embedder/require-embedder.ts'
import { contextOf } from '../http/request-context.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { answerOnce, isKeyed } from '../idempotency/answer-once.ts'
import { folderLines, prefixLines } from '../ingest/import-lines.ts'
import { resolveRoot } from '../ingest/import-root.ts'
import {
  abandonIngestion,
  acceptIngestion,
  answerAccepted,
  ingestIntentSchema,
  type IngestionDraft,
  pictureKey,
  prepareIngestion
} from '../ingest/ingestion.ts'
import { type ReceivedImport, receiveImport } from '../ingest/receive-import.ts'

/**
 * `logos` and `logos/` both mean the keys below `logos/`, so that a prefix never reaches a
 * neighbour.
 */
function parsePrefix(text: string): string {
  const prefix = text.endsWith('/') ? text : `${text}/`
  if (isEngineKey(prefix)) throw appError('forbidden_prefix', 'this prefix belongs to the engine')
  checkPrefix(prefix)
  return prefix
}

interface ImportSource {
  /** Name for messages: `prefix logos/`, `root /data/marks with a list`. */
  name: string
  lines: (spec: CollectionSpec, ingestion: string) => AsyncIterable<ItemListLine>
}

async function openSource(deps: ApiDeps, received: ReceivedImport): Promise<ImportSource> {
  const { request, list } = received
  const { maxUploadBytes, importRoots } = deps.settings
  const source = { store: deps.store, list, label: request.label, maxBytes: maxUploadBytes }
  const suffix = list === undefined ? '' : ' with a list'
  if (request.prefix !== undefined) {
    const prefix = parsePrefix(request.prefix)
    return { name: `prefix ${prefix}${suffix}`, lines: () => prefixLines(source, prefix) }
  }
  const given = request.root ?? ''
  const folder = { given, root: await resolveRoot(given, importRoots) }
  return {
    name: `root ${given}${suffix}`,
    lines: (spec, ingestion) => folderLines(source, folder, (n) => pictureKey(spec, ingestion, n))
  }
}

export const importItems = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/imports',
  async handle(req, res) {
    const keyed = isKeyed(req)
    const spec = await resolveCollection(deps, pathParameter(req, 'c'))
    await deps.logAppender.admit(spec.collectionId)
    const received = await receiveImport(req, res, deps.settings.spoolDir)
    try {
      const source = await openSource(deps, received)
      const draft: IngestionDraft = {
        ingestion: createUlid(deps.clock.nowMs()),
        spec,
        source: source.name,
        requestId: contextOf(res).requestId,
        keyed
      }
      await answerOnce(deps, req, res, {
        content: [received.request, received.listSha256 ?? null],
        intentSchema: ingestIntentSchema,
        prepare: async () => {
          await requireEmbedder(deps, spec)
          return await prepareIngestion(deps, draft, source.lines(spec, draft.ingestion))
        },
        act: (intent) => acceptIngestion(deps, intent),
        answerLogged: (intent) => answerAccepted(deps, intent, spec.collectionId),
        abandon: () => abandonIngestion(deps, draft)
      })
    } finally {
      await received.dispose()
    }
  }
})
