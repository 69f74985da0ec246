// Sends the items of a gallery with their vectors to the API, in parts under separate keys, like
// the pictures of a build.
import type { VectorItem } from '@likeness/shared/contract/arrow/write-arrow-items'
import { maxVectorLines } from '@likeness/shared/contract/limits'
import { keepTrying } from '../connect/keep-trying.ts'
import type { LineFailure, SubmitDeps, SubmittedPart } from '../gallery/submit-parts.ts'
import type { FoundItem, GalleryFolder } from './gallery-folder.ts'
import type { GalleryVectors } from './gallery-vectors.ts'

/** Each part is acknowledged by itself, so it is large: about three writes that a disk waits for. */
const bytesPerPart = 16 * 1024 * 1024

export async function* sendVectors(
  { api, collection, keyBase, onTrouble }: SubmitDeps,
  folder: GalleryFolder,
  vectors: GalleryVectors
): AsyncGenerator<SubmittedPart> {
  let part: FoundItem[] = []
  let bytes = 0
  let failures: LineFailure[] = []
  let sent = 0
  const { dim } = vectors
  const send = async (): Promise<SubmittedPart> => {
    const items = part.map((item) => vectorItem(item, vectors))
    const numbers = Uint32Array.from(part, ({ line }) => line.line!)
    const accepted =
      items.length === 0
        ? []
        : [
            await keepTrying(
              () => api.importVectors(collection, { items, dim, key: `${keyBase}-rows-${sent}` }),
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
    if (part.length >= maxVectorLines || bytes >= bytesPerPart) yield await send()
  }
  if (part.length + failures.length > 0) yield await send()
}

function vectorItem(
  { line: { path, id, label, metadata }, rows, described }: FoundItem,
  vectors: GalleryVectors
): VectorItem {
  return {
    id: id ?? path,
    label: label ?? null,
    ...(metadata && { metadata }),
    ...described,
    vectors: vectors.of(rows)
  }
}
