// The settings of the supervisor and the inference children. No other file of this app knows their
// names.
import { readSettingsOrExit } from '@likeness/shared/process/config'
import { storeSettingNames } from '@likeness/store/configured-store'

type Environment = Record<string, string | undefined>

const childSettings = [
  ...storeSettingNames,
  'LOG_LEVEL',
  'DATA_DIR',
  'MODEL_DIR',
  'EXECUTION_PROVIDERS',
  'MAX_IMAGE_PIXELS',
  'MAX_UPLOAD_BYTES',
  'LIKENESS_TEST_HOOKS'
] as const

const supervisorSettings = [
  ...childSettings,
  'REDIS_URL',
  'LANE_SECRET',
  'LANE_HOST',
  'LANE_PORT',
  'LANE_URL',
  'EMBED_PROCESSES'
] as const

export const readSupervisorConfig = (env: Environment) =>
  readSettingsOrExit(env, supervisorSettings)
export type SupervisorConfig = ReturnType<typeof readSupervisorConfig>

export const readChildConfig = (env: Environment) => readSettingsOrExit(env, childSettings)

/**
 * Returns the environment of a child. The secrets of the embed server and the queue stay with the
 * supervisor.
 */
export function childEnvironment(env: Environment): Environment {
  const { LANE_SECRET: _secret, REDIS_URL: _redis, ...rest } = env
  // Decoding in many threads fragments glibc's arenas. VIPS_BLOCK_UNTRUSTED must be set before
  // sharp loads.
  return { ...rest, MALLOC_ARENA_MAX: env['MALLOC_ARENA_MAX'] ?? '2', VIPS_BLOCK_UNTRUSTED: '1' }
}
