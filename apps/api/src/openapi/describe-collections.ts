// Routes of collections, for the OpenAPI document.
import { json } from './route-description.ts'
import type { RouteDescriptions } from './route-description.ts'

export const collectionRoutes: RouteDescriptions = {
  'POST /v1/collections': {
    tag: 'collections',
    summary: 'Create a collection',
    description: 'Its embedding is what the embed-workers make, or the given one for vectors that are made elsewhere. It is fixed from then on.',
    body: { 'application/json': 'CreateCollection' },
    idempotent: true,
    answers: { 201: json('Created.', 'Collection') },
    codes: ['invalid_name', 'collection_exists', 'embedder_unavailable']
  },
  'GET /v1/collections': { tag: 'collections', summary: 'List collections, by name', answers: { 200: json('All of them.', 'CollectionList') } },
  'GET /v1/collections/:c': {
    tag: 'collections',
    summary: 'Describe a collection: settings, counts, and the real index of each segment',
    answers: { 200: json('As committed now.', 'Collection') },
    codes: ['collection_not_found']
  },
  'DELETE /v1/collections/:c': {
    tag: 'collections',
    summary: 'Drop a collection',
    description: 'The name is free at once; its objects go later.',
    idempotent: true,
    answers: { 200: json('Dropped.', 'Dropped') },
    codes: ['collection_not_found']
  }
}
