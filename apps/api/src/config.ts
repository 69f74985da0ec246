// The settings of this app, and the rules between settings: without an API key, loopback only.
import { isAbsolute } from 'node:path'
import { ConfigError, readSettingsOrExit } from '@likeness/shared/process/config'
import { storeSettingNames } from '@likeness/store/configured-store'
import { isLoopbackHost } from './http/guard.ts'

const names = [
  ...storeSettingNames,
  'REDIS_URL',
  'LOG_LEVEL',
  'DATA_DIR',
  'HOST',
  'PORT',
  'API_KEY',
  'ALLOWED_HOSTS',
  'IMPORT_ROOTS',
  'MAX_UPLOAD_BYTES',
  'LANE_SECRET',
  'REPLICA_POLL_MS',
  'REPLICA_MEMORY_BYTES',
  'REPLICA_DISK_BYTES',
  'REPLICA_READY_MS',
  'IDEMPOTENCY_RETENTION_MS',
  'UPLOAD_RETENTION_MS'
] as const

export type ApiConfig = ReturnType<typeof readConfig>

/** Finds settings that are valid alone and wrong together. Empty when all is well. */
export function findConflicts({
  HOST,
  API_KEY,
  IMPORT_ROOTS
}: {
  HOST: string
  API_KEY?: string
  IMPORT_ROOTS: readonly string[]
}): string[] {
  const problems: string[] = []
  if (API_KEY === undefined && !isLoopbackHost(HOST))
    problems.push(`API_KEY: is required to listen on ${HOST}; without it only loopback is served`)
  for (const root of IMPORT_ROOTS)
    if (!isAbsolute(root)) problems.push(`IMPORT_ROOTS: ${root} is not an absolute path`)
  return problems
}

export function readConfig(env: NodeJS.ProcessEnv) {
  const settings = readSettingsOrExit(env, names)
  const problems = findConflicts(settings)
  if (problems.length === 0) return settings
  process.stderr.write(`${new ConfigError(problems).message}\n`)
  process.exit(2)
}
