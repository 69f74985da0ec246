// The settings of this app.
import { readSettingsOrExit } from '@likeness/shared/process/config'
import { storeSettingNames } from '@likeness/store/configured-store'

const names = [
  ...storeSettingNames,
  'REDIS_URL',
  'LOG_LEVEL',
  'DATA_DIR',
  'RECONCILE_INTERVAL_MS',
  'LEASE_MS',
  'COMMIT_INTERVAL_MS',
  'SNAPSHOT_RETENTION_MS',
  'MERGE_MEMORY_BYTES',
  'IDEMPOTENCY_RETENTION_MS',
  'UPLOAD_RETENTION_MS',
  'JOB_RETENTION_MS',
  'LIKENESS_TEST_HOOKS'
] as const

export type IndexWorkerConfig = ReturnType<typeof readConfig>

export const readConfig = (env: NodeJS.ProcessEnv) => readSettingsOrExit(env, names)

/** The settings of the merge processes. */
export const readMergeConfig = (env: NodeJS.ProcessEnv) =>
  readSettingsOrExit(env, [...storeSettingNames, 'LOG_LEVEL', 'DATA_DIR', 'LIKENESS_TEST_HOOKS'])
