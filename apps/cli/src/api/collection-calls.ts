// Calls for collections and their aliases.
import type { EmbeddingSpec, SettingsChange } from '@likeness/shared/contract/collection'
import type {
  CollectionAnswer,
  CollectionListAnswer
} from '@likeness/shared/contract/http/collections'
import { absentWhen } from './api-problem.ts'
import { type ApiRequest, inCollection, json } from './api-request.ts'

export interface ProfileChange {
  name: string
  /** Profile as NAME@VERSION. */
  profile: string
  embedding: EmbeddingSpec
  revision: number
  /** Commit that has the profile. undefined: the change is logged, and a later commit has it. */
  seq?: number
}

export interface CollectionCalls {
  /** All of them, page by page. */
  listCollections(): Promise<CollectionListAnswer>
  /** undefined when no collection has this name. */
  getCollection(name: string): Promise<CollectionAnswer | undefined>
  createCollection(
    name: string,
    options?: {
      index_method?: string
      metric?: string
      storage?: string
      rescore?: boolean
      settings?: Record<string, unknown>
      embedding?: EmbeddingSpec
      profile?: string
    }
  ): Promise<CollectionAnswer>
  /** null takes a setting back to its default. Resolves when the change is logged. */
  changeSettings(name: string, settings: SettingsChange): Promise<void>
  dropCollection(name: string): Promise<void>
  /** Without `seq`: the rebuild is logged, and runs later. */
  rebuild(name: string): Promise<{ revision: number; seq?: number }>
  applyProfile(name: string, profile: string): Promise<ProfileChange>
  listAliases(): Promise<{ alias: string; collection: string }[]>
  /** `expected`: the current target of the alias. */
  setAlias(
    alias: string,
    collection: string,
    options: { expected: string | undefined }
  ): Promise<void>
  removeAlias(alias: string, options: { expected: string | undefined }): Promise<void>
}

const aliasPath = (alias: string): string => `/v1/aliases/${encodeURIComponent(alias)}`

export function createCollectionCalls({ request, answer }: ApiRequest): CollectionCalls {
  return {
    async listCollections() {
      const all = await answer<CollectionListAnswer>('/v1/collections')
      for (let page = all; page.next !== null; ) {
        page = await answer<CollectionListAnswer>(`/v1/collections?after=${page.next}`)
        all.collections.push(...page.collections)
        all.damaged.push(...page.damaged)
      }
      return { ...all, next: null }
    },
    getCollection: (name) =>
      answer<CollectionAnswer>(inCollection(name)).catch(absentWhen('collection_not_found')),
    createCollection: (name, options = {}) =>
      answer<CollectionAnswer>('/v1/collections', json({ name, ...options })),
    changeSettings: async (name, settings) =>
      void (await request(inCollection(name), { ...json({ settings }), method: 'PATCH' })),
    dropCollection: async (name) => void (await request(inCollection(name), { method: 'DELETE' })),
    rebuild: (name) => answer(inCollection(name, '/rebuild'), { method: 'POST' }),
    applyProfile: (name, profile) =>
      answer<ProfileChange>(inCollection(name, '/profile'), json({ profile })),
    listAliases: async () =>
      (await answer<{ aliases: { alias: string; collection: string }[] }>('/v1/aliases')).aliases,
    setAlias: async (alias, collection, { expected }) =>
      void (await request(aliasPath(alias), { ...json({ collection, expected }), method: 'PUT' })),
    removeAlias: async (alias, { expected }) =>
      void (await request(
        `${aliasPath(alias)}${expected === undefined ? '' : `?${new URLSearchParams({ expected })}`}`,
        { method: 'DELETE' }
      ))
  }
}
