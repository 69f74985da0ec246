import type { FilterScalar } from '@likeness/shared/contract/filter'
import type { PayloadUpdates } from '../item/payload-updates.ts'
import { metadataKey } from './column-builder.ts'
import { codeAt, type Column, valueOf } from './column.ts'

/**
 * Returns values of items by column name; undefined for null too. `columns` must hold all names
 * that are asked for.
 */
export function attributeReader(
  updates: PayloadUpdates,
  columns: ReadonlyMap<string, Column | undefined>
): (item: number, name: string) => FilterScalar | undefined {
  return (item, name) => {
    const { label, metadata } = updates.get(item) ?? {}
    if (name === 'label' && label !== undefined) return label ?? undefined
    if (name !== 'label' && metadata !== undefined)
      return Object.hasOwn(metadata, metadataKey(name))
        ? (metadata[metadataKey(name)] ?? undefined)
        : undefined
    const column = columns.get(name)
    return column && valueOf(column, codeAt(column, item))
  }
}
