// The pictures of a search on their way to an embed server: the picture itself, or those of the
// examples.
import type { Response } from 'express'
import type { CollectionSpec, EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { Box, EmbedAnswer, EmbedQuery } from '@likeness/shared/contract/embedder'
import { beyondLimit, maxQueryRuns } from '@likeness/shared/contract/limits'
import {
  enrolmentSchema,
  type Look,
  lookSchema,
  queryRuns
} from '@likeness/shared/contract/picture-settings'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError, isAppError } from '@likeness/shared/errors'
import { readClientPicture } from '../answers/read-picture.ts'
import { readTimeoutMs } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { requireEmbedder } from '../embedder/require-embedder.ts'
import { holdBytes } from '../http/held-bytes.ts'
import { contextOf } from '../http/request-context.ts'
import type { ReceivedSearch } from './receive-search.ts'
import type { SearchExample } from './search-examples.ts'

/** Pictures of one search that embed servers see at a time. */
const picturesAtOnce = 4

interface QueryPicture {
  bytes: Uint8Array
  box: Box | undefined
  /** Absent: the picture that is searched for. */
  example?: SearchExample
}

export interface EmbeddedPictures {
  /** The picture that is searched for. */
  picture: EmbedAnswer | undefined
  examples: ReadonlyMap<SearchExample, EmbedAnswer>
}

export class QueryPictures {
  private readonly deps: ApiDeps
  private readonly pictures: readonly QueryPicture[]
  private readonly how: Omit<EmbedQuery, 'embedding' | 'box'>
  private readonly signal: AbortSignal
  private known: { version: string; answers: EmbedAnswer[] } | undefined
  private took = 0

  private constructor(
    deps: ApiDeps,
    pictures: readonly QueryPicture[],
    how: Omit<EmbedQuery, 'embedding' | 'box'>,
    signal: AbortSignal
  ) {
    this.deps = deps
    this.pictures = pictures
    this.how = how
    this.signal = signal
  }

  /** Reads the pictures, and the settings by which they are seen. */
  static async open(
    deps: ApiDeps,
    res: Response,
    spec: CollectionSpec,
    received: ReceivedSearch
  ): Promise<QueryPictures> {
    const sources = sourcesOf(received)
    if (sources.length > 0) await requireEmbedder(deps, spec)
    const pictures: QueryPicture[] = []
    for (const { source, ...rest } of sources) {
      const isSent = source instanceof Uint8Array
      const bytes = isSent ? source : await readClientPicture(deps, source.imageKey)
      if (!isSent) holdBytes(res, bytes.byteLength)
      pictures.push({ bytes, ...rest })
    }
    const how = sources.length === 0 ? {} : await howToLook(deps, spec, received)
    return new QueryPictures(deps, pictures, how, contextOf(res).gone)
  }

  /** Time of all calls until now. */
  get tookMs(): number {
    return this.took
  }

  /** Embeds the pictures, unless they were embedded for this embedding already. */
  async embed(embedding: EmbeddingSpec): Promise<EmbeddedPictures> {
    if (this.known?.version !== embedding.version) {
      const startedMs = performance.now()
      const answers: EmbedAnswer[] = []
      for await (const answer of mapInOrder(this.pictures, picturesAtOnce, (picture) =>
        this.embedOne(picture, embedding)
      ))
        answers.push(answer)
      this.took += performance.now() - startedMs
      this.known = { version: embedding.version, answers }
    }
    const { answers } = this.known!
    const examples = new Map<SearchExample, EmbedAnswer>()
    let picture: EmbedAnswer | undefined
    for (const [i, { example }] of this.pictures.entries()) {
      const answer = answers[i]!
      if (example === undefined) picture = answer
      else examples.set(example, answer)
    }
    return { picture, examples }
  }

  private async embedOne(
    { bytes, box, example }: QueryPicture,
    embedding: EmbeddingSpec
  ): Promise<EmbedAnswer> {
    const answer = await this.deps.embedder
      .embed(bytes, { embedding, box, ...this.how }, this.signal)
      .catch((error: unknown) => {
        throw example === undefined ? error : named(example, error)
      })
    if (answer.embedding.version !== embedding.version || answer.embedding.dim !== embedding.dim)
      throw appError(
        'embedding_mismatch',
        `the embedder made ${answer.embedding.version}, the collection has ${embedding.version}`
      )
    return answer
  }
}

/** Says which of the pictures it is. */
const named = ({ name }: SearchExample, error: unknown): unknown =>
  isAppError(error)
    ? appError(error.code, `${name}: ${error.message}`, {
        cause: error,
        ...(error.detail && { detail: error.detail })
      })
    : error

type Source = Omit<QueryPicture, 'bytes'> & { source: Uint8Array | { imageKey: string } }

function sourcesOf({ request, picture, examples }: ReceivedSearch): Source[] {
  if (examples !== undefined)
    return examples.examples.flatMap((example): Source[] =>
      example.kind === 'picture' ? [{ source: example.source, box: example.box, example }] : []
    )
  const { image_key: imageKey, box } = request
  if (picture !== undefined) return [{ source: picture, box }]
  return imageKey === undefined ? [] : [{ source: { imageKey }, box }]
}

/**
 * Reads the current settings, which may have changed since the creation. Options of the request
 * come first. An example is the whole picture or its box, so nothing is detected in it.
 */
async function howToLook(
  { replica }: ApiDeps,
  { collectionId }: CollectionSpec,
  { request, examples }: ReceivedSearch
): Promise<Omit<EmbedQuery, 'embedding' | 'box'>> {
  const loaded = await replica.acquire(collectionId, {
    consistency: 'eventual',
    timeoutMs: readTimeoutMs
  })
  try {
    const { settings } = loaded.spec
    const asked = Object.fromEntries(
      Object.keys(lookSchema.shape).flatMap((name) =>
        request[name as keyof Look] === undefined ? [] : [[name, request[name as keyof Look]]]
      )
    )
    const enrolment = enrolmentSchema.parse(settings)
    const look = lookSchema.parse({ ...settings, ...asked })
    if (examples !== undefined)
      return {
        enrolment,
        look: lookSchema.parse({ query_subjects: 'none', query_views: look.query_views })
      }
    const runs = queryRuns(enrolment, look)
    if (runs > maxQueryRuns) throw beyondLimit('maxQueryRuns', runs)
    const raws = (request.rerank ?? settings.rerank) === 'cells'
    return { enrolment, look, confidence: request.detector_threshold, ...(raws && { raws }) }
  } finally {
    loaded.release()
  }
}
