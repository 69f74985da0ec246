// Routes of stored items, for the OpenAPI document.
import { readOptionsSchema } from '../answers/stored-item.ts'
import { querySchema as vectorsQuerySchema } from '../routes/export-vectors.ts'
import { querySchema as thumbnailQuerySchema } from '../routes/item-thumbnail.ts'
import { type AnswerDescription, json, type RouteDescriptions } from './route-description.ts'

const picture = (type: string): Record<number, AnswerDescription> => ({
  200: { description: 'The bytes.', content: { [type]: [] } },
  304: { description: 'If-None-Match names what it is.', content: {} }
})
const notYet = 'Logged and in force from here on, but not committed in time to say more.'

export const itemRoutes: RouteDescriptions = {
  'GET /v1/collections/:c/items/:id': {
    tag: 'items',
    summary: 'Read an item',
    query: readOptionsSchema,
    answers: {
      200: {
        ...json('The item in the version that was asked for.', 'Item'),
        headers: ['x-index-seq']
      }
    },
    codes: ['collection_not_found', 'item_not_found', 'not_fresh', 'replica_behind']
  },
  'DELETE /v1/collections/:c/items/:id': {
    tag: 'items',
    summary: 'Delete an item',
    description:
      'An item that is still on its way is deleted when it comes; that is answered with 202.',
    idempotent: true,
    answers: { 200: json('Committed.', 'Deleted'), 202: json(notYet, 'ChangeLogged') },
    codes: ['collection_not_found', 'item_not_found']
  },
  'POST /v1/collections/:c/delete': {
    tag: 'items',
    summary: 'Delete many items, by id, label or filter, as one operation',
    description:
      'Deletes what is there at its place in the order of acceptance, and items of older ingestions when they come. `count`: items that were there; `missing`: ids without an item.',
    body: { 'application/json': 'DeleteItems' },
    idempotent: true,
    answers: {
      200: json('Committed.', 'DeletedItems'),
      202: json(notYet, 'OperationLogged')
    },
    codes: ['collection_not_found']
  },
  'PATCH /v1/collections/:c/items/:id': {
    tag: 'items',
    summary: 'Change label and metadata of an item, not its vectors',
    description:
      'Nothing is embedded again. An item that is still on its way gets them when it comes; that is answered with 202.',
    body: { 'application/json': 'RelabelItem' },
    idempotent: true,
    answers: { 200: json('Committed.', 'Relabelled'), 202: json(notYet, 'ChangeLogged') },
    codes: ['collection_not_found', 'item_not_found']
  },
  'POST /v1/collections/:c/relabel': {
    tag: 'items',
    summary: 'Give many items the same label, metadata or both, as one operation',
    description:
      '`missing`: ids that are not there; of those, items that are still on their way get them when they come.',
    body: { 'application/json': 'RelabelItems' },
    idempotent: true,
    answers: {
      200: json('Committed.', 'RelabelledItems'),
      202: json(notYet, 'ChangeOfItemsLogged')
    },
    codes: ['collection_not_found']
  },
  'GET /v1/collections/:c/items/:id/image': {
    tag: 'items',
    summary: 'The original picture of an item',
    query: readOptionsSchema,
    answers: picture('image/*'),
    codes: [
      'collection_not_found',
      'item_not_found',
      'object_not_found',
      'not_fresh',
      'replica_behind'
    ]
  },
  'GET /v1/collections/:c/items/:id/thumbnail': {
    tag: 'items',
    summary: 'A small JPEG of the picture of an item',
    query: readOptionsSchema.extend(thumbnailQuerySchema.shape),
    answers: picture('image/jpeg'),
    codes: [
      'collection_not_found',
      'item_not_found',
      'object_not_found',
      'embedder_unavailable',
      'not_fresh',
      'replica_behind'
    ]
  },
  'POST /v1/collections/:c/items/:id/compare': {
    tag: 'items',
    summary: 'Which part of a picture is which part of the picture of an item',
    description:
      'Each box is parted into cells, and every cell of the one is compared with every cell of the other. Both pictures are embedded for it, nothing is stored.',
    query: readOptionsSchema,
    body: { 'application/json': 'CompareRequest', 'multipart/form-data': 'CompareForm' },
    answers: {
      200: {
        ...json('How surely each pair of cells shows the same part.', 'CompareAnswer'),
        headers: ['x-index-seq']
      }
    },
    codes: [
      'collection_not_found',
      'item_not_found',
      'object_not_found',
      'forbidden_prefix',
      'embedding_mismatch',
      'not_fresh',
      'replica_behind',
      'image_empty',
      'image_corrupt',
      'image_truncated',
      'image_too_many_pixels',
      'image_unsupported',
      'image_missing',
      'embedder_unavailable'
    ]
  },
  'GET /v1/collections/:c/vectors': {
    tag: 'items',
    summary: 'Every item of one committed version with its vectors',
    description:
      'In no order, all or `sample` of them, as lines that POST of the same path takes, or with `Accept: application/vnd.apache.arrow.stream` as rows of Arrow. An answer that ends early is cut off, not closed.',
    query: vectorsQuerySchema,
    answers: {
      200: {
        description: 'One VectorLine a line.',
        content: {
          'application/x-ndjson': ['VectorLine'],
          'application/vnd.apache.arrow.stream': []
        },
        headers: ['x-index-seq']
      }
    },
    codes: ['collection_not_found', 'not_fresh', 'replica_behind']
  }
}
