// The settings of this app.
import { readSettingsOrExit } from '@likeness/shared/config'

const names = [
  'OBJECT_STORE', 'S3_ENDPOINT', 'S3_ACCESS_KEY', 'S3_SECRET_KEY', 'S3_REGION', 'REDIS_URL', 'LOG_LEVEL', 'DATA_DIR',
  'RECONCILE_INTERVAL_MS', 'LEASE_MS', 'COMMIT_INTERVAL_MS', 'SNAPSHOT_RETENTION_MS'
] as const

export type IndexWorkerConfig = ReturnType<typeof readConfig>

export const readConfig = (env: NodeJS.ProcessEnv) => readSettingsOrExit(env, names)
