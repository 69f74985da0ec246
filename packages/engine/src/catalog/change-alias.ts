// Changes an alias: it is pointed at a collection, or removed.
import { collectionNameSchema } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import { checkTarget, own, withAlias, withoutAlias } from './catalog-content.ts'
import type { StoredCatalog } from './stored-catalog.ts'

export async function setAlias(
  catalog: StoredCatalog,
  alias: string,
  name: string,
  { expected }: { expected?: string | null } = {}
): Promise<void> {
  if (!collectionNameSchema.safeParse(alias).success)
    throw appError('invalid_name', `${JSON.stringify(alias)} is not a name that an alias can have`)
  let tried = false
  await catalog.change((content) => {
    // The alias already points there. An earlier try succeeded although its answer was lost, and
    // another process has written since.
    if (tried && own(content.aliases, alias) === name) return content
    checkTarget(content, alias, expected)
    const next = withAlias(content, alias, name)
    tried = true
    return next
  })
}

export async function removeAlias(
  catalog: StoredCatalog,
  alias: string,
  { expected }: { expected?: string } = {}
): Promise<void> {
  let removed: string | undefined
  await catalog.change((content) => {
    const target = own(content.aliases, alias)
    // An earlier try, whose answer was lost, has removed the alias. A newer alias must stay.
    if (removed !== undefined && target !== removed) return content
    if (target === undefined)
      throw appError('alias_not_found', `there is no alias ${JSON.stringify(alias)}`)
    checkTarget(content, alias, expected)
    removed = target
    return withoutAlias(content, alias)
  })
}
