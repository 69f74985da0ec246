// Versions that are kept by name: GET and POST /v1/collections/:c/snapshots, DELETE and restore of
// a snapshot.
import type { SnapshotSummary } from '@likeness/engine/contract'
import {
  restoreSnapshotSchema,
  takeSnapshotSchema
} from '@likeness/shared/contract/http/collections'
import { appError } from '@likeness/shared/errors'
import { resolveCollection } from '../answers/resolve-collection.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest, readJson, readOptionalJson } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { requestKey } from '../idempotency/answer-once.ts'
import { appendAndAwaitResult } from '../mutations/append-and-await-result.ts'
import { restoreInto } from '../mutations/restore-into.ts'

const path = '/v1/collections/:c/snapshots'
const snapshotAnswer = ({ name, revision, createdAtMs, seq, items, rows }: SnapshotSummary) => ({
  name,
  revision,
  created_at: new Date(createdAtMs).toISOString(),
  seq,
  items,
  rows
})

export const listSnapshots = (deps: ApiDeps): Route => ({
  method: 'get',
  path,
  async handle(req, res) {
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'), { fresh: true })
    const version = await deps.versions.read(collectionId)
    if (version === undefined)
      throw appError('collection_not_found', 'the collection was dropped meanwhile')
    res.json({ snapshots: version.snapshots.map(snapshotAnswer) })
  }
})

export const takeSnapshot = (deps: ApiDeps): Route => ({
  method: 'post',
  path,
  async handle(req, res) {
    requestKey(req)
    const { name } = parseRequest(takeSnapshotSchema, await readJson(req, res))
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: name,
      operation: () => ({ kind: 'take_snapshot', name }),
      describe: { name },
      done: () => ({ taken: true })
    })
  }
})

export const dropSnapshot = (deps: ApiDeps): Route => ({
  method: 'delete',
  path: `${path}/:name`,
  async handle(req, res) {
    const name = parseRequest(takeSnapshotSchema.shape.name, pathParameter(req, 'name'))
    const { collectionId } = await resolveCollection(deps, pathParameter(req, 'c'))
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: name,
      operation: () => ({ kind: 'drop_snapshot', name }),
      describe: { name },
      done: () => ({ dropped: true })
    })
  }
})

export const restoreSnapshot = (deps: ApiDeps): Route => ({
  method: 'post',
  path: `${path}/:name/restore`,
  async handle(req, res) {
    requestKey(req)
    const name = parseRequest(takeSnapshotSchema.shape.name, pathParameter(req, 'name'))
    const { into } = parseRequest(restoreSnapshotSchema, await readOptionalJson(req, res))
    const { collectionId, name: collection } = await resolveCollection(
      deps,
      pathParameter(req, 'c')
    )
    if (into !== undefined)
      return await restoreInto(deps, req, res, { collectionId, collection, snapshot: name, into })
    await appendAndAwaitResult(deps, req, res, {
      collectionId,
      content: name,
      operation: async () => ({
        kind: 'restore',
        name,
        snapshot: await deps.versions.findSnapshot(collectionId, name)
      }),
      describe: { name },
      done: ({ items = 0 }) => ({ restored: true, items })
    })
  }
})
