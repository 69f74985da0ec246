// Routes of profiles, for the OpenAPI document.
import { json, type RouteDescriptions } from './route-description.ts'

export const profileRoutes: RouteDescriptions = {
  'GET /v1/profiles': {
    tag: 'profiles',
    summary: 'List profiles, every version, newest first',
    answers: { 200: json('All of them.', 'ProfileList') }
  },
  'GET /v1/profiles/:profile': {
    tag: 'profiles',
    summary: 'What is known of a profile',
    answers: { 200: json('The version that is named, else the newest.', 'Profile') },
    codes: ['profile_not_found']
  },
  'GET /v1/profiles/:profile/projection': {
    tag: 'profiles',
    summary: 'The projection of a profile',
    answers: {
      200: {
        description:
          'Little-endian float32: the matrix [dim, raw_dim] row by row, then the bias [dim]. With `parts`: for each part, in their order, the matrix [its dim, its raw numbers], then the bias [its dim].',
        content: { 'application/octet-stream': [] }
      }
    },
    codes: ['profile_not_found', 'data_corrupt']
  },
  'PUT /v1/profiles/:profile': {
    tag: 'profiles',
    summary: 'Store a version of a profile',
    description:
      '`likeness profile learn` makes them. Its version is a part of the sha256 of its projection (with `parts`, of that sum and of the parts); earlier ones stay.',
    body: { 'multipart/form-data': 'ProfileForm' },
    idempotent: true,
    answers: { 201: json('Stored.', 'Profile') },
    codes: ['invalid_name']
  },
  'POST /v1/collections/:c/profile': {
    tag: 'profiles',
    summary: 'Give a collection another profile of its model',
    description:
      'Its vectors are made anew from the raw vectors that are kept, beside the version that is served; then all of them change in one version, with everything that was added and deleted meanwhile. ' +
      '`reprojection` of the collection says how far that is: `running`, `applied`, or why it was not done. The newest request counts; one for the profile that the collection has ends the one under way.',
    body: { 'application/json': 'ApplyProfile' },
    idempotent: true,
    answers: {
      200: json('Committed.', 'ProfileApplied'),
      202: json(
        'Logged and will be done, but it takes longer than an answer should.',
        'ProfileLogged'
      )
    },
    codes: [
      'collection_not_found',
      'profile_not_found',
      'embedding_mismatch',
      'setting_fixed',
      'raw_vectors_missing',
      'profile_replaced',
      'data_corrupt'
    ]
  }
}
