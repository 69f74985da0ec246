// Sends the items of a gallery with their vectors to the API, in parts under separate keys, like
// the pictures of a build.
import { encodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { keepTrying } from '../connect/keep-trying.ts'
import type { LineFailure, SubmitDeps, SubmittedPart } from '../gallery/submit-parts.ts'
import type { FoundItem, GalleryFolder } from './gallery-folder.ts'
import type { GalleryVectors } from './gallery-vectors.ts'

const itemsPerPart = 1_000
const bytesPerPart = 4 * 1024 * 1024

export async function* sendVectors(
  { api, collection, keyBase, onTrouble }: SubmitDeps,
  folder: GalleryFolder,
  vectors: GalleryVectors
): AsyncGenerator<SubmittedPart> {
  let part: FoundItem[] = []
  let bytes = 0
  let failures: LineFailure[] = []
  let sent = 0
  const send = async (): Promise<SubmittedPart> => {
    const lines = part.map((item) => vectorLine(item, vectors))
    const numbers = Uint32Array.from(part, ({ line }) => line.line!)
    const accepted =
      lines.length === 0
        ? []
        : [
            await keepTrying(
              () => api.importVectors(collection, lines, `${keyBase}-vectors-${sent}`),
              { onTrouble }
            )
          ]
    const submitted = {
      jobs: accepted.map(({ job, total }) => ({ id: job, total, lines: numbers })),
      failures
    }
    sent += part.length
    part = []
    bytes = 0
    failures = []
    return submitted
  }
  for await (const item of folder.items()) {
    const { path, line = 0, failure } = item.line
    if (failure !== undefined) {
      failures.push({ line, path, ...failure })
      continue
    }
    part.push(item)
    bytes += item.rows.length * vectors.dim * 4
    if (part.length >= itemsPerPart || bytes >= bytesPerPart) yield await send()
  }
  if (part.length + failures.length > 0) yield await send()
}

function vectorLine(
  { line: { path, id, label, metadata }, rows, described }: FoundItem,
  vectors: GalleryVectors
): VectorLine {
  return {
    id: id ?? path,
    label: label ?? null,
    ...(metadata && { metadata }),
    ...described,
    vectors: encodeVector(vectors.of(rows))
  }
}
