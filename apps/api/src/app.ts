// The HTTP application without a port: middleware in order, a route per file, and every error as a
// problem.
import express, { type Express } from 'express'
import { appError } from '@likeness/shared/errors'
import type { ApiDeps } from './api-deps.ts'
import { guardOrigin, requireKey, securityHeaders } from './http/guard.ts'
import { problemHandler } from './http/problem.ts'
import { refusePackedBodies } from './http/request-body.ts'
import { requestContext } from './http/request-context.ts'
import { mountRoutes } from './http/route.ts'
import { openapi } from './openapi/serve-openapi.ts'
import { listAliases, removeAlias, setAlias } from './routes/aliases.ts'
import { applyProfile } from './routes/apply-profile.ts'
import { changeCollection } from './routes/change-collection.ts'
import { compareItem } from './routes/compare-item.ts'
import { createCollection } from './routes/create-collection.ts'
import { deleteItem } from './routes/delete-item.ts'
import { deleteItems } from './routes/delete-items.ts'
import { dropCollection } from './routes/drop-collection.ts'
import { exportVectors } from './routes/export-vectors.ts'
import { getCollection } from './routes/get-collection.ts'
import { getItem } from './routes/get-item.ts'
import { cancelJob } from './routes/cancel-job.ts'
import { getJob } from './routes/get-job.ts'
import { livez, readyz } from './routes/health.ts'
import { importItems } from './routes/import-items.ts'
import { importVectors } from './routes/import-vectors.ts'
import { itemImage } from './routes/item-image.ts'
import { itemThumbnail } from './routes/item-thumbnail.ts'
import { listCollections } from './routes/list-collections.ts'
import { listJobs } from './routes/list-jobs.ts'
import { compactCollection, rebuildCollection } from './routes/maintain-collection.ts'
import { getProfile, getProjection, listProfiles, putProfile } from './routes/profiles.ts'
import { relabelItem } from './routes/relabel-item.ts'
import { relabelItems } from './routes/relabel-items.ts'
import { search } from './routes/search.ts'
import { dropSnapshot, listSnapshots, restoreSnapshot, takeSnapshot } from './routes/snapshots.ts'
import { status } from './routes/status.ts'
import { uploadImages } from './routes/upload-images.ts'
import { verifyCollection } from './routes/verify-collection.ts'

/** Routes are tried in this order: the most frequent request comes first. */
const routes = (deps: ApiDeps) => [
  search(deps),
  livez,
  readyz(deps),
  createCollection(deps),
  listCollections(deps),
  getCollection(deps),
  changeCollection(deps),
  dropCollection(deps),
  listAliases(deps),
  setAlias(deps),
  removeAlias(deps),
  listProfiles(deps),
  getProfile(deps),
  getProjection(deps),
  putProfile(deps),
  uploadImages(deps),
  importItems(deps),
  importVectors(deps),
  listJobs(deps),
  getJob(deps),
  cancelJob(deps),
  getItem(deps),
  deleteItem(deps),
  relabelItem(deps),
  deleteItems(deps),
  relabelItems(deps),
  exportVectors(deps),
  applyProfile(deps),
  compactCollection(deps),
  rebuildCollection(deps),
  verifyCollection(deps),
  listSnapshots(deps),
  takeSnapshot(deps),
  dropSnapshot(deps),
  restoreSnapshot(deps),
  compareItem(deps),
  itemImage(deps),
  itemThumbnail(deps),
  status(deps)
]

export function createApp(deps: ApiDeps): Express {
  const { settings } = deps
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  app.use(requestContext(deps))
  app.use(securityHeaders)
  app.use(guardOrigin(settings.allowedHosts))
  app.use('/v1', requireKey(settings.apiKey))
  app.use(refusePackedBodies)
  const described = routes(deps)
  app.use(mountRoutes([...described, openapi(described)]))
  app.use(
    express.static(settings.publicDir, {
      index: 'index.html',
      dotfiles: 'ignore',
      redirect: false,
      cacheControl: false
    })
  )
  app.use((req) => {
    throw appError('route_not_found', `there is nothing at ${req.path.slice(0, 200)}`)
  })
  app.use(problemHandler)
  return app
}
