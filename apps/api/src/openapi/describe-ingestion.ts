// Routes that bring items in, for the OpenAPI document. All of them answer with a job.
import { json, type RouteDescription, type RouteDescriptions } from './route-description.ts'

const accepted: Pick<RouteDescription, 'tag' | 'idempotent' | 'answers'> = {
  tag: 'items',
  idempotent: true,
  answers: {
    202: json(
      'Durable, and in the order of acceptance; `job` tells what becomes of it.',
      'Accepted'
    )
  }
}

export const ingestionRoutes: RouteDescriptions = {
  'POST /v1/collections/:c/images': {
    ...accepted,
    summary: 'Upload pictures',
    description:
      'An item with the same id is replaced. A picture that cannot be read becomes a failed item of the job. Two pictures of one request that would be one item, and differ, are refused.',
    body: { 'multipart/form-data': 'UploadForm' },
    codes: ['collection_not_found', 'embedding_mismatch', 'upload_expired', 'duplicate_item']
  },
  'POST /v1/collections/:c/imports': {
    ...accepted,
    summary: 'Import pictures from a prefix of the object store, or from a folder of the server',
    description:
      'Without a list every file is taken, and its first folder is its label. A bad line of a list becomes a failed item of the job.',
    body: { 'application/json': 'ImportRequest', 'multipart/form-data': 'ImportForm' },
    codes: [
      'collection_not_found',
      'embedding_mismatch',
      'upload_expired',
      'path_outside_root',
      'forbidden_prefix',
      'invalid_key',
      'object_not_found'
    ]
  },
  'POST /v1/collections/:c/vectors': {
    ...accepted,
    summary: 'Bring items with vectors that were made elsewhere',
    description:
      'One VectorLine a line, or a row of an Arrow IPC stream or file with columns of the same names (`vector`: a list of float, or `vectors`: a list of lists), at most 10 000, as GET of the same path answers. An item with the same id is replaced. A line that cannot be used becomes a failed item of the job. Where the embedding, or the cosine, has unit vectors they are brought to unit length; sparse ones always, their zeros left out and their indices sorted.',
    body: {
      'application/x-ndjson': 'VectorLine',
      'application/vnd.apache.arrow.stream': 'ArrowBody',
      'application/vnd.apache.arrow.file': 'ArrowBody'
    },
    codes: ['collection_not_found', 'upload_expired', 'dimension_mismatch', 'invalid_vector']
  }
}
