// What folds leave behind: the files that bases name, and all that a base stands for.
import { baseFiles, decodeBase, type Manifest } from '@likeness/engine/testing/internals'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { ObjectStore } from '@likeness/store/object-store'
import { contentOf } from './state-of.ts'
import type { World } from './world.ts'

const all = 100_000

/** The store as it is, without faults. Only for reads by key. */
export const tableStore = ({ table }: World): ObjectStore =>
  ({ get: (key) => Promise.resolve(table.get(key)) }) as Pick<ObjectStore, 'get'> as ObjectStore

/** Keys of the base of a version, of the one before, and of what they name. */
export async function filesOfBases(world: World, { history }: Manifest): Promise<string[]> {
  const files: string[] = []
  const store = tableStore(world)
  let ref = history?.base ?? null
  for (let left = 2; ref !== null && left > 0; left--) {
    const { base } = await decodeBase(store, ref.key)
    files.push(ref.key, ...baseFiles(base).map(({ key }) => key))
    ref = base.previous
  }
  return files
}

/** Deletes the slots, batches and item lists that the base of a version stands for. */
export function deleteFolded(world: World, manifest: Manifest): void {
  const base = manifest.history?.base
  if (base === undefined || base === null) return
  const { table } = world
  const keys = collectionKeys(manifest.spec.collectionId)
  const content = contentOf(manifest, ({ key }) => table.get(key)!.body)
  const loose = new Set([...content.of('batch').values()].map(({ key }) => key))
  const open = new Set(
    [...content.of('job').values()]
      .filter(({ completedSeq }) => completedSeq === null)
      .map(({ ingestion }) => ingestion)
  )
  const ingestionOf = (key: string, prefix: string): string =>
    key.slice(prefix.length).split('/')[0]!
  table.delete([
    ...table.page(keys.logPrefix, '', all).filter((key) => key <= keys.logSlot(base.appliedSlot)),
    ...table
      .page(keys.batchesPrefix, '', all)
      .filter((key) => !loose.has(key) && !open.has(ingestionOf(key, keys.batchesPrefix))),
    ...table
      .page(keys.ingestionsPrefix, '', all)
      .filter((key) => !open.has(ingestionOf(key, keys.ingestionsPrefix)))
  ])
  world.happened.folded++
}

/**
 * What is left of the history though two bases stand for it: slots, and batches and item lists of
 * ingestions that had ended.
 */
export function undeleted(world: World, { history, spec }: Manifest): string[] {
  const previous = history?.previous
  if (previous === undefined || previous === null) return []
  const { table } = world
  const keys = collectionKeys(spec.collectionId)
  const truth = world.truthOf(spec.collectionId)
  const isOver = (key: string, prefix: string): boolean =>
    (truth.completedSeq.get(key.slice(prefix.length).split('/')[0]!) ?? Infinity) <= previous.seq
  return [
    ...table.page(keys.logPrefix, '', all).filter((key) => key <= keys.logSlot(history!.floor)),
    ...[keys.batchesPrefix, keys.ingestionsPrefix].flatMap((prefix) =>
      table.page(prefix, '', all).filter((key) => isOver(key, prefix))
    )
  ]
}

/** Loses the newest base, where the one before can take its place. */
export function loseBase(world: World, { history }: Manifest): void {
  if (history?.base === undefined || history.base === null || history.previous === null) return
  world.table.delete([history.base.key])
  world.happened.lostBases++
}
