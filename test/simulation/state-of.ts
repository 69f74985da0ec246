// What a manifest of the simulated store says of jobs.
import {
  decodePage,
  decodeStateLines,
  type FileRef,
  type IngestionRecord,
  type Manifest,
  StateContent
} from '@likeness/engine/testing/internals'

type Body = (ref: FileRef) => Uint8Array

export function contentOf({ state: { base, deltas, recent } }: Manifest, body: Body): StateContent {
  const content = new StateContent()
  for (const ref of [...base, ...deltas])
    for (const line of decodeStateLines(ref.key, body(ref))) content.add(line)
  for (const line of recent) content.add(line)
  return content
}

/** Pages of ended jobs. */
export const pagesIn = (content: StateContent): FileRef[] =>
  [...content.of('page').values()].map(({ file }) => file)

/** Records of open and of ended jobs, by ingestion. */
export function recordsIn(content: StateContent, body: Body): Map<string, IngestionRecord> {
  const paged = pagesIn(content).flatMap((file) => decodePage(file.key, body(file)))
  const records = [...content.of('job').values(), ...paged]
  return new Map(records.map((record) => [record.ingestion, record]))
}
