// Dependencies of the HTTP layer: engine, store, embed servers, notifications, time, log and
// limits. start.ts builds them; tests fake them.
import type { RawVectors } from '@likeness/engine'
import type { Catalog } from '@likeness/engine/catalog-contract'
import type {
  ItemListWriter,
  Jobs,
  LogAppender,
  Replica,
  VersionReader
} from '@likeness/engine/contract'
import type { SnapshotReader } from '@likeness/engine/snapshot-contract'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ProfileStore } from '@likeness/store/profile-store'
import type { EmbedClient } from './embedder/embed-client.ts'
import type { ThumbnailCache } from './embedder/thumbnail-cache.ts'
import type { Holders } from './idempotency/holders.ts'
import type { Notifications } from './notifications.ts'
import type { ReadinessCheck } from './workers/readiness.ts'
import type { Workers } from './workers/worker-registry.ts'

export interface ApiSettings {
  /** Bearer key that /v1 asks for. undefined: no key, loopback only. */
  apiKey: string | undefined
  /** Host and Origin names that are served beside loopback, as `name` or `name:port`. */
  allowedHosts: readonly string[]
  importRoots: readonly string[]
  maxUploadBytes: number
  /** undefined: no limit. */
  replicaMemoryBytes?: number
  idempotencyRetentionMs: number
  uploadRetentionMs: number
  /** Folder of a directory store; undefined: the objects are not on a disk of this machine. */
  storeDir?: string | undefined
  /** Folder for uploaded list files while they are read. */
  spoolDir: string
  /** Folder of the page at `/`. */
  publicDir: string
}

export interface ApiDeps {
  catalog: Catalog
  logAppender: LogAppender
  itemLists: ItemListWriter
  jobs: Jobs
  versions: VersionReader
  snapshots: SnapshotReader
  replica: Replica
  rawVectors: RawVectors
  store: ObjectStore
  profiles: ProfileStore
  embedder: EmbedClient
  notifications: Notifications
  holders: Holders
  thumbnails: ThumbnailCache
  workers: Workers
  readiness: Record<string, ReadinessCheck>
  clock: Clock
  logger: Logger
  settings: ApiSettings
}
