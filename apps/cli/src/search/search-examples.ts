// Several pictures as the examples of one search, with the settings of the gallery's yaml.
import { readFile } from 'node:fs/promises'
import {
  type Examples,
  exampleStrategies,
  type SearchAnswer
} from '@likeness/shared/contract/http/search'
import { maxExamples } from '@likeness/shared/contract/limits'
import type { ApiClient } from '../api/api-client.ts'
import { existing } from '../command-options.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { UserError } from '../user-error.ts'
import { type PictureFields, type SearchConfig, searchOptionsOf } from './search-picture.ts'

export interface GivenExamples {
  /** Shown above the answer. */
  name: string
  positive: Uint8Array[]
  negative: Uint8Array[]
  strategy: Examples['strategy']
}

interface GivenOptions {
  image: readonly string[]
  dir?: string | undefined
  like: readonly string[]
  not: readonly string[]
  strategy?: string | undefined
  sheet?: string | undefined
}

/** undefined for a search of another kind. UserError for options that do not go together. */
export async function parseExamples({
  image,
  dir,
  like,
  not,
  strategy: asked,
  sheet
}: GivenOptions): Promise<GivenExamples | undefined> {
  if (like.length === 0) {
    if (not.length > 0 || asked !== undefined)
      throw new UserError('--not and --strategy are for a search with --like')
    return undefined
  }
  if (image.length > 0 || dir !== undefined || sheet !== undefined)
    throw new UserError('--like is a search of its own: leave --image, --dir and --sheet out')
  if (like.length + not.length > maxExamples)
    throw new UserError(`--like and --not: at most ${maxExamples} pictures together`)
  const strategy = exampleStrategies.find((known) => known === (asked ?? 'mean'))
  if (strategy === undefined)
    throw new UserError(`--strategy ${asked}: one of ${exampleStrategies.join(', ')}`)
  const read = (option: string, files: readonly string[]): Promise<Uint8Array[]> =>
    Promise.all(files.map((file) => readFile(existing(file, 'file', option))))
  return {
    name: `${like.join(', ')}${not.length > 0 ? `, not ${not.join(', ')}` : ''}`,
    positive: await read('--like ', like),
    negative: await read('--not ', not),
    strategy
  }
}

export function searchExamples(
  api: Pick<ApiClient, 'searchByExamples'>,
  config: SearchConfig,
  { positive, negative, strategy, fields }: Omit<GivenExamples, 'name'> & { fields: PictureFields }
): Promise<SearchAnswer> {
  return keepTrying(() =>
    api.searchByExamples(
      config.collection,
      { positive, negative },
      {
        ...searchOptionsOf(config, fields),
        examples: { strategy, positive: [], negative: [] }
      }
    )
  )
}
