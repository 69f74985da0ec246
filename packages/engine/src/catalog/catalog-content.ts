// Content of the catalogue object, and the rules for aliases.
import { z } from 'zod'
import { encodeObject } from '@likeness/shared/contract/checked-object'
import {
  collectionNameSchema,
  type CollectionSpec,
  collectionSpecSchema
} from '@likeness/shared/contract/collection'
import { fromStored, toStored } from '@likeness/shared/contract/stored-names'
import { appError } from '@likeness/shared/errors'

export const catalogSchema = z.strictObject({
  format: z.literal(1),
  /** New with every write. Tells a writer whether an ambiguous write was its own. */
  writeId: z.string(),
  collections: z.record(collectionNameSchema, collectionSpecSchema),
  /** Collection name of each alias. */
  aliases: z.record(z.string(), z.string()),
  dropped: z.array(
    z.strictObject({ incarnation: z.string(), atMs: z.number() }).transform(fromStored)
  )
})
export type CatalogFile = z.infer<typeof catalogSchema>
export type Content = Omit<CatalogFile, 'format' | 'writeId'>

export const encodeCatalog = (
  writeId: string,
  { collections, aliases, dropped }: Content
): Uint8Array => {
  const specs = Object.entries(collections).map(([name, spec]) => [name, toStored(spec)] as const)
  return encodeObject({
    format: 1,
    writeId,
    collections: Object.fromEntries(specs),
    aliases,
    dropped: dropped.map(toStored)
  })
}

/** Reads own properties only, because users choose the names: `constructor` is a valid name. */
export const own = <T>(record: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

export const lookUp = (
  { collections, aliases }: Content,
  name: string
): CollectionSpec | undefined =>
  own(collections, name) ?? own(collections, own(aliases, name) ?? '')

export const notFound = (name: string) =>
  appError('collection_not_found', `there is no collection ${JSON.stringify(name)}`)

/** Throws name_is_alias where only the name of a collection is allowed. */
export function refuseAlias({ aliases }: Content, name: string): void {
  const target = own(aliases, name)
  if (target !== undefined)
    throw appError(
      'name_is_alias',
      `${JSON.stringify(name)} is an alias of ${JSON.stringify(target)}`,
      { detail: { collection: target } }
    )
}

export const aliasesOf = ({ aliases }: Content, name: string): string[] =>
  Object.keys(aliases)
    .filter((alias) => aliases[alias] === name)
    .sort()

/** undefined: any target; null: the alias must not exist. */
export type ExpectedTarget = string | null | undefined

/** Throws alias_moved when the alias has another target than the expected one. */
export function checkTarget({ aliases }: Content, alias: string, expected: ExpectedTarget): void {
  const target = own(aliases, alias) ?? null
  if (expected === undefined || target === expected) return
  const is = target === null ? 'is no alias' : `points at ${JSON.stringify(target)}`
  throw appError(
    'alias_moved',
    `${JSON.stringify(alias)} ${is}, not at ${JSON.stringify(expected)}`,
    { detail: { collection: target } }
  )
}

export function withAlias(content: Content, alias: string, name: string): Content {
  if (own(content.collections, name) === undefined) {
    refuseAlias(content, name)
    throw notFound(name)
  }
  if (own(content.collections, alias) !== undefined)
    throw appError(
      'collection_exists',
      `there is a collection ${JSON.stringify(alias)}: it cannot be an alias too`
    )
  return { ...content, aliases: { ...content.aliases, [alias]: name } }
}

export function withoutAlias(content: Content, alias: string): Content {
  const { [alias]: _gone, ...aliases } = content.aliases
  return { ...content, aliases }
}
