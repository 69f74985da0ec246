// What the HTTP layer is given: the engine, the store, the lanes, hints, time, log and limits. Built by main.ts, faked by tests.
import type {
  Catalog,
  ItemListWriter,
  Jobs,
  LogAppender,
  Replica,
  SnapshotReader,
  VersionReader
} from '@likeness/engine/contract'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ProfileStore } from '@likeness/store/profile-store'
import type { EmbedClient } from './embedder/embed-client.ts'
import type { ThumbnailCache } from './embedder/thumbnail-cache.ts'
import type { Holders } from './idempotency/holders.ts'
import type { Notifications } from './notifications.ts'

export interface ApiSettings {
  /** Bearer key that /v1 asks for; undefined: none, loopback only. */
  apiKey: string | undefined
  /** Host and Origin names served beside loopback, as `name` or `name:port`. */
  allowedHosts: readonly string[]
  importRoots: readonly string[]
  maxUploadBytes: number
  /** undefined: no bound. */
  replicaMemoryBytes?: number
  idempotencyRetentionMs: number
  uploadRetentionMs: number
  /** Folder for uploaded list files while they are read. */
  spoolDir: string
  /** Folder of the page at `/`. */
  publicDir: string
}

/** Parts of /readyz: resolve when well, reject with the reason. */
export type ReadinessCheck = () => Promise<void>

export interface ApiDeps {
  catalog: Catalog
  logAppender: LogAppender
  itemLists: ItemListWriter
  jobs: Jobs
  versions: VersionReader
  snapshots: SnapshotReader
  replica: Replica
  store: ObjectStore
  profiles: ProfileStore
  embedder: EmbedClient
  notifications: Notifications
  holders: Holders
  thumbnails: ThumbnailCache
  readiness: Record<string, ReadinessCheck>
  clock: Clock
  logger: Logger
  settings: ApiSettings
}
