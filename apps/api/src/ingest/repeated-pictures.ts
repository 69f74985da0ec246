// Pictures of one upload that would become the same item: only the last of them would stay.
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { appError } from '@likeness/shared/errors'

export interface UploadedPicture {
  line: ItemListLine
  /** sha256 of the bytes. */
  digest: string
}

const contentOf = ({ line: { label, metadata }, digest }: UploadedPicture): string =>
  JSON.stringify([
    label,
    Object.entries(metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
    digest
  ])

/**
 * duplicate_item when two pictures have one id and differ. The same picture with the same
 * description may come twice: the item is the same.
 */
export function checkRepeatedPictures(uploaded: readonly UploadedPicture[]): void {
  const first = new Map<string, UploadedPicture>()
  for (const picture of uploaded) {
    const { id, ordinal } = picture.line
    const before = first.get(id)
    if (before === undefined) first.set(id, picture)
    else if (contentOf(before) !== contentOf(picture)) {
      const files = `files ${before.line.ordinal + 1} and ${ordinal + 1}`
      throw appError(
        'duplicate_item',
        id === picture.digest
          ? `${files} have the same bytes and no id, and another label or metadata: they would be one item; give each an id`
          : `${files} have the same id ${JSON.stringify(id.slice(0, 100))}: they would be one item; give each its own id`,
        { detail: { id, files: [before.line.ordinal + 1, ordinal + 1] } }
      )
    }
  }
}
