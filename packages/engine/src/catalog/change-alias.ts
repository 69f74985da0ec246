// Changes an alias: it is pointed at a collection, or removed. The alias object decides; the claim at
// the collection comes before it and goes after it, so that a drop sees every alias.
//
// Who removes the claim of an alias that points elsewhere has changed the alias object first. So a
// process that stands between its claim and its change of the alias fails, and begins again. And only
// the claim of an attempt that was there before that change is removed: a later attempt has its own.
import { collectionNameSchema } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import { finishDrop } from './change-collection.ts'
import type { CatalogParts } from './catalog-parts.ts'
import { type CollectionName, type FoundName, nameIsAlias, notFound } from './names.ts'

const targetOf = (found: FoundName | undefined): string | undefined =>
  found?.content.kind === 'alias' ? found.content.target : undefined

/**
 * Throws alias_moved when the alias has another target than the expected one. `expected`: undefined:
 * any target; null: the alias must not exist.
 */
function checkTarget(
  alias: string,
  target: string | undefined,
  expected: string | null | undefined
): void {
  if (expected === undefined || (target ?? null) === expected) return
  const is = target === undefined ? 'is no alias' : `points at ${JSON.stringify(target)}`
  throw appError(
    'alias_moved',
    `${JSON.stringify(alias)} ${is}, not at ${JSON.stringify(expected)}`,
    { detail: { collection: target ?? null } }
  )
}

export async function setAlias(
  parts: CatalogParts,
  alias: string,
  name: string,
  { expected }: { expected?: string | null } = {}
): Promise<void> {
  const { names } = parts
  if (!collectionNameSchema.safeParse(alias).success)
    throw appError('invalid_name', `${JSON.stringify(alias)} is not a name that an alias can have`)
  for (let tried = false; ; ) {
    const found = await names.read(alias)
    const former = targetOf(found)
    // An earlier try succeeded although its answer was lost.
    if (tried && former === name) return
    checkTarget(alias, former, expected)
    const formerAttempt = await attemptOf(parts, former, alias)
    const collection = await mustBeCollection(parts, name)
    if (former === name) return
    if (found?.content.kind === 'collection') {
      if (!found.content.dropping)
        throw appError(
          'collection_exists',
          `there is a collection ${JSON.stringify(alias)}: it cannot be an alias too`
        )
      await finishDrop(parts, alias, found.content.spec.collectionId)
      continue
    }
    const claims = { ...collection.content.claims, [alias]: parts.newId() }
    if (!(await names.swap(name, collection, { ...collection.content, claims }))) continue
    tried = true
    if (!(await names.swap(alias, found, { kind: 'alias', target: name }))) continue
    return await removeClaim(parts, former, alias, formerAttempt)
  }
}

/** name_is_alias, or collection_not_found also while the collection is being dropped. */
async function mustBeCollection({ names }: CatalogParts, name: string) {
  const found = await names.read(name)
  const content = found?.content
  if (content?.kind === 'alias') throw nameIsAlias(name, content.target)
  if (found === undefined || content?.kind !== 'collection' || content.dropping)
    throw notFound(name)
  return { etag: found.etag, content }
}

/** Own properties only, because users choose the names: `constructor` is a valid name. */
const claimOf = ({ claims }: CollectionName, alias: string): string | undefined =>
  Object.hasOwn(claims, alias) ? claims[alias] : undefined

async function attemptOf(
  { names }: CatalogParts,
  name: string | undefined,
  alias: string
): Promise<string | undefined> {
  const content = name === undefined ? undefined : (await names.read(name))?.content
  return content?.kind === 'collection' ? claimOf(content, alias) : undefined
}

async function removeClaim(
  { names }: CatalogParts,
  name: string | undefined,
  alias: string,
  attempt: string | undefined
): Promise<void> {
  if (name === undefined || attempt === undefined) return
  await names.change(name, (content) => {
    if (content?.kind !== 'collection' || claimOf(content, alias) !== attempt) return undefined
    const { [alias]: _gone, ...claims } = content.claims
    return { ...content, claims }
  })
}

export async function removeAlias(
  parts: CatalogParts,
  alias: string,
  { expected }: { expected?: string } = {}
): Promise<void> {
  let removed: string | undefined
  for (;;) {
    const found = await parts.names.read(alias)
    const target = targetOf(found)
    // An earlier try, whose answer was lost, has removed the alias. A newer alias must stay.
    if (removed !== undefined && target !== removed) return
    if (target === undefined)
      throw appError('alias_not_found', `there is no alias ${JSON.stringify(alias)}`)
    checkTarget(alias, target, expected)
    removed = target
    const attempt = await attemptOf(parts, target, alias)
    if (await parts.names.swap(alias, found, { kind: 'free' }))
      return await removeClaim(parts, target, alias, attempt)
  }
}
