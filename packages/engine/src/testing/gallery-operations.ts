// Operations on a test gallery.
import type { Metadata } from '@likeness/shared/contract/item-list'
import type { Operation } from '@likeness/shared/contract/operation'
import { createUlid } from '@likeness/shared/data/ulid'
import type { GalleryStack } from './gallery-stack.ts'

/** Operation without the common fields. */
type Bare<O> = O extends Operation ? Omit<O, 'opId' | 'atMs'> : never
export type CollectionOperation = Bare<
  Exclude<Operation, { kind: 'ingest' | 'delete' | 'relabel' }>
>

export function createOperations({ spec, appender, versions }: GalleryStack) {
  /** Appends an operation on the collection as a whole. */
  async function operate(operation: CollectionOperation): Promise<number> {
    return (await appender.append(spec.collectionId, { opId: createUlid(), atMs: 0, ...operation }))
      .revision
  }

  return {
    async remove(...ids: string[]): Promise<number> {
      return (
        await appender.append(spec.collectionId, {
          kind: 'delete',
          opId: createUlid(),
          atMs: 0,
          ids
        })
      ).revision
    },
    async relabel(
      ids: string[],
      change: { label?: string | null; metadata?: Metadata }
    ): Promise<number> {
      return (
        await appender.append(spec.collectionId, {
          kind: 'relabel',
          opId: createUlid(),
          atMs: 0,
          ids,
          ...change
        })
      ).revision
    },
    operate,
    async restore(name: string): Promise<number> {
      return await operate({
        kind: 'restore',
        name,
        snapshot: await versions.findSnapshot(spec.collectionId, name)
      })
    },
    /** Returns the result of an operation. */
    async outcome(revision: number) {
      return (await versions.read(spec.collectionId))!.outcomes.find(
        (one) => one.revision === revision
      )
    }
  }
}
