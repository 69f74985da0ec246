// Maintenance routes of collections, for the OpenAPI document.
import { json, type RouteDescription, type RouteDescriptions } from './route-description.ts'

const logged = {
  202: json('Logged and will be done, but not committed in time to say more.', 'OperationLogged')
}
const operation: Pick<RouteDescription, 'tag' | 'idempotent' | 'codes'> = {
  tag: 'collections',
  idempotent: true,
  codes: ['collection_not_found']
}

export const maintenanceRoutes: RouteDescriptions = {
  'PATCH /v1/collections/:c': {
    ...operation,
    summary: 'Change settings that no vector depends on',
    description:
      '`search_budget`, `score_thres`, `seal_threshold` and `pinned`; searches of the version that holds the change use it. All else is fixed at creation. A restore does not undo it.',
    body: { 'application/json': 'ChangeCollection' },
    answers: { 200: json('Committed.', 'Changed'), ...logged },
    codes: ['collection_not_found', 'setting_fixed']
  },
  'POST /v1/collections/:c/compact': {
    ...operation,
    summary:
      'Write anew every segment that carries deletions or relabels, and make small segments one',
    answers: { 200: json('Nothing is left to do.', 'Compacted'), ...logged }
  },
  'POST /v1/collections/:c/rebuild': {
    ...operation,
    summary: 'Make the segments again from log and vector batches alone',
    description:
      'What the collection holds stays the same; also where segments, the manifest or CURRENT are damaged or lost, and no owner can open it. Where log or batches are damaged it stays as it is: verify names them, or the log of the index-worker.',
    answers: { 200: json('Made again.', 'Rebuilt'), ...logged },
    codes: ['collection_not_found', 'data_corrupt']
  },
  'GET /v1/collections/:c/verify': {
    tag: 'collections',
    summary:
      'Read every file of the committed version and of its snapshots, the log, item lists and vector batches, and compare each with its checksum',
    answers: {
      200: {
        description: 'Lines of progress; the last line is the report.',
        content: { 'application/x-ndjson': ['VerifyLine'] }
      }
    },
    codes: ['collection_not_found', 'overloaded']
  },
  'GET /v1/collections/:c/snapshots': {
    tag: 'collections',
    summary: 'List the versions that are kept by name',
    answers: { 200: json('As committed now.', 'SnapshotList') },
    codes: ['collection_not_found']
  },
  'POST /v1/collections/:c/snapshots': {
    ...operation,
    summary: 'Keep the version as it is now, by name',
    description: 'Costs no copy: its files stay for as long as the snapshot does.',
    body: { 'application/json': 'TakeSnapshot' },
    answers: { 200: json('Kept.', 'SnapshotTaken'), ...logged },
    codes: ['collection_not_found', 'snapshot_exists']
  },
  'DELETE /v1/collections/:c/snapshots/:name': {
    ...operation,
    summary: 'Let a snapshot go',
    answers: { 200: json('Gone.', 'SnapshotDropped'), ...logged },
    codes: ['collection_not_found', 'snapshot_not_found']
  },
  'POST /v1/collections/:c/snapshots/:name/restore': {
    ...operation,
    summary:
      'Make the collection what a snapshot holds, as a new version; or make a new collection of it',
    body: { 'application/json': 'RestoreSnapshot' },
    bodyOptional: true,
    description:
      'With `into`, a collection of that name, with log, vectors and pictures of its own: answered with 202 once it can no longer be lost, and complete when its job is; the job is null when the snapshot is empty. Raw vectors are not copied. Without: ' +
      'what was deleted since comes back with the revision of the restore, what was added since is gone, and so is what was accepted before and has not come yet. What is accepted later wins.',
    answers: {
      200: json('Restored.', 'Restored'),
      202: json(
        'Logged and will be done, but not committed in time to say more; or, with `into`, there is a new collection.',
        'OperationLogged',
        'RestoredInto'
      )
    },
    codes: [
      'collection_not_found',
      'snapshot_not_found',
      'collection_exists',
      'name_is_alias',
      'upload_expired'
    ]
  }
}
