// Every body that a client sends, by its name in the OpenAPI document.
import { z } from 'zod'
import {
  indexMethods,
  indexMethodSchema,
  metrics,
  metricSchema,
  storageSchema
} from '@likeness/shared/contract/collection'
import { conditionShape, filterShape } from '@likeness/shared/contract/filter'
import {
  applyProfileSchema,
  changeCollectionSchema,
  createCollectionSchema,
  restoreSnapshotSchema,
  setAliasSchema,
  takeSnapshotSchema
} from '@likeness/shared/contract/http/collections'
import { compareRequestSchema } from '@likeness/shared/contract/http/compare'
import { importRequestSchema, listLineSchema } from '@likeness/shared/contract/http/imports'
import {
  deleteItemsSchema,
  relabelItemSchema,
  relabelItemsSchema
} from '@likeness/shared/contract/http/items'
import {
  exampleSchema,
  examplesSchema,
  searchRequestSchema
} from '@likeness/shared/contract/http/search'
import {
  maxNonZeros,
  sparseVectorSchema,
  vectorLineSchema
} from '@likeness/shared/contract/http/vectors'
import {
  itemIdSchema,
  labelSchema,
  metadataSchema,
  storedMetadataSchema
} from '@likeness/shared/contract/item-list'
import { profileDraftSchema } from '@likeness/shared/contract/profile'

const {
  vector: _vector,
  vectors: _vectors,
  item_id: _itemId,
  ...searchFields
} = searchRequestSchema.shape

export const requestSchemas = {
  ApplyProfile: applyProfileSchema,
  ArrowBody: z.file(),
  ChangeCollection: changeCollectionSchema,
  CompareForm: z.object({ image: z.file().optional(), ...compareRequestSchema.shape }),
  CompareRequest: compareRequestSchema,
  Condition: conditionShape,
  CreateCollection: createCollectionSchema,
  DeleteItems: deleteItemsSchema,
  Example: exampleSchema,
  Examples: examplesSchema,
  Filter: filterShape,
  ImportForm: z.object({ ...importRequestSchema.shape, list: z.file().optional() }),
  ImportRequest: importRequestSchema,
  IndexMethod: indexMethodSchema,
  ListLine: listLineSchema,
  Metadata: storedMetadataSchema,
  Metric: metricSchema,
  ProfileForm: z.object({ profile: profileDraftSchema, projection: z.file() }),
  RelabelItem: relabelItemSchema,
  RelabelItems: relabelItemsSchema,
  RestoreSnapshot: restoreSnapshotSchema,
  SearchForm: z.object({
    image: z.array(z.file()).optional(),
    negative: z.array(z.file()).optional(),
    ...searchFields
  }),
  SearchRequest: searchRequestSchema,
  SetAlias: setAliasSchema,
  SparseVector: sparseVectorSchema,
  Storage: storageSchema,
  TakeSnapshot: takeSnapshotSchema,
  UploadForm: z.object({
    id: itemIdSchema.optional(),
    label: labelSchema.optional(),
    metadata: metadataSchema.optional(),
    image: z.file()
  }),
  VectorLine: vectorLineSchema
}
export type RequestSchemaName = keyof typeof requestSchemas

/** Notes that the schemas themselves cannot express. */
export const requestNotes: Partial<Record<RequestSchemaName, object>> = {
  ApplyProfile: { description: '`profile`: NAME, its newest version, or NAME@VERSION.' },
  ChangeCollection: {
    description:
      'What is not given stays; null takes a setting back to what it is when nothing is given.'
  },
  CompareForm: {
    description:
      'The picture is `image`, or one of `image_key` and `item_id` names it; boxes are sent as JSON text.'
  },
  CompareRequest: {
    description:
      'Exactly one of `image_key` and `item_id`: the picture that is compared with the item of the path. Absent boxes: all of the picture.'
  },
  Condition: {
    description:
      'A value to be equal to, of the same type; or one of `in`, `gt`/`gte`/`lt`/`lte` (numbers only), `exists`, `not`.'
  },
  CreateCollection: {
    description:
      '`index_method` is HNSW32 and `metric` IP unless given. With `embedding.sparse` vectors are {indices, values}: `index_method` is FLAT, `metric` cosine, `dim` a bound that indices stay below (2^32 unless given) and `unit` true; else `dim` and `unit` must be given.'
  },
  DeleteItems: { description: 'Exactly one of `ids`, `label` and `filter`.' },
  Example: {
    description:
      'Exactly one of `item_id`, `image_key` and `vector`; `box`: the part of the picture that is meant.'
  },
  Examples: {
    description:
      'At most 32 examples together, at least one of them positive. Queries are `mean`: the mean of the positive ones; `best`: each of them, and the best score of an item counts. Negative ones move the queries away.'
  },
  Filter: { description: 'All of its conditions hold; of `any`, at least one.' },
  ImportForm: {
    description:
      'Exactly one of `prefix` and `root`. `list`, a file: `path<TAB>label[<TAB>id]` a line, or ListLine as NDJSON (sent as application/x-ndjson, or named *.ndjson).'
  },
  ImportRequest: { description: 'Exactly one of `prefix` and `root`.' },
  IndexMethod: { description: 'In any case.', examples: [...indexMethods] },
  Metric: { description: 'In any case.', examples: [...metrics] },
  ProfileForm: {
    description:
      '`profile` first. `projection`: little-endian float32, the matrix [dim, raw_dim] row by row, then the bias [dim]; with `parts` both for each part, in their order.'
  },
  RelabelItem: {
    description:
      '`label`, `metadata` or both: each replaces what the item has, as a whole; `label: null` takes it away.'
  },
  RelabelItems: { description: '`label`, `metadata` or both, as for one item.' },
  RestoreSnapshot: { description: '`into`: the name of a new collection.' },
  SearchForm: {
    description:
      'The picture is `image`, or `image_key` names one of the store; numbers and JSON are sent as text. With several `image`, with `negative` or with `examples` it is a search by examples, and pictures of `image` are positive ones.'
  },
  SearchRequest: {
    description:
      'Exactly one of `vector`, `vectors`, `item_id`, `image_key` and `examples`. In a collection of sparse vectors a vector is {indices, values}.'
  },
  SetAlias: {
    description:
      '`expected`: what the alias points at until now, null for nothing; when that is not so, nothing changes.'
  },
  SparseVector: {
    description: `Indices (whole numbers, each once, in any order) and as many values, at most ${maxNonZeros} of them not zero.`
  },
  Storage: {
    description: 'In any case; the m of pq<m> divides the values of a vector.',
    examples: ['f32', 'f16', 'sq8', 'pq64']
  },
  UploadForm: {
    description:
      'Up to 1000 files. Fields before files describe the files after them: `label` and `metadata` hold until given again, `id` is for the next file only. Fields after each file describe that file.'
  },
  VectorLine: {
    description:
      '`vectors`: base64 of little-endian float32 [rows, dim], or as many arrays of numbers, or as many SparseVector.'
  }
}
