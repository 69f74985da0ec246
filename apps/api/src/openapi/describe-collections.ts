// Routes of collections, for the OpenAPI document.
import { removeAliasQuerySchema } from '../routes/aliases.ts'
import { querySchema as collectionsQuerySchema } from '../routes/list-collections.ts'
import { json, type RouteDescriptions } from './route-description.ts'

export const collectionRoutes: RouteDescriptions = {
  'POST /v1/collections': {
    tag: 'collections',
    summary: 'Create a collection',
    description:
      'Its embedding is what the embed-workers make, with `profile` that of a learned profile of their model, or the given one for vectors that are made elsewhere. It is fixed from then on. One that is `sparse` has its own exact inverted lists, outside Faiss.',
    body: { 'application/json': 'CreateCollection' },
    idempotent: true,
    answers: { 201: json('Created.', 'Collection') },
    codes: [
      'invalid_name',
      'collection_exists',
      'name_is_alias',
      'embedder_unavailable',
      'profile_not_found',
      'embedding_mismatch'
    ]
  },
  'GET /v1/collections': {
    tag: 'collections',
    summary: 'List collections, by name',
    query: collectionsQuerySchema,
    answers: { 200: json('A page of them; those that are damaged by name.', 'CollectionList') }
  },
  'GET /v1/collections/:c': {
    tag: 'collections',
    summary: 'Describe a collection: settings, counts, and the real index of each segment',
    answers: { 200: json('As committed now.', 'Collection') },
    codes: ['collection_not_found', 'data_corrupt']
  },
  'DELETE /v1/collections/:c': {
    tag: 'collections',
    summary: 'Drop a collection',
    description:
      'By its own name, when no alias points at it. The name is free at once; its objects go later.',
    idempotent: true,
    answers: { 200: json('Dropped.', 'Dropped') },
    codes: ['collection_not_found', 'name_is_alias', 'collection_has_aliases']
  },
  'GET /v1/aliases': {
    tag: 'collections',
    summary: 'List aliases',
    answers: { 200: json('All of them.', 'AliasList') }
  },
  'PUT /v1/aliases/:alias': {
    tag: 'collections',
    summary: 'Point an alias at a collection, also from another one in one step',
    description:
      'An alias may be used wherever the name of a collection is, but not to drop it. Other api processes follow within half a second.',
    body: { 'application/json': 'SetAlias' },
    idempotent: true,
    answers: { 200: json('It does.', 'AliasSet') },
    codes: [
      'invalid_name',
      'collection_not_found',
      'collection_exists',
      'name_is_alias',
      'alias_moved'
    ]
  },
  'DELETE /v1/aliases/:alias': {
    tag: 'collections',
    summary: 'Remove an alias, not what it points at',
    query: removeAliasQuerySchema,
    idempotent: true,
    answers: { 200: json('Gone.', 'AliasRemoved') },
    codes: ['alias_not_found', 'alias_moved']
  }
}
