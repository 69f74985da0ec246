// Every setting of every app: name, range, default, meaning. Read once by an app's config.ts; a bad environment prints every problem at once.
import { availableParallelism, totalmem } from 'node:os'
import { z } from 'zod'

const int = (min: number, max: number) => z.coerce.number().int().min(min).max(max)
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
)

const settings = {
  OBJECT_STORE: z
    .string()
    .regex(/^(dir:\/.+|s3:\/\/.+)$/, 'dir:/absolute/path or s3://bucket[/prefix]'),
  S3_ENDPOINT: z.url().optional(),
  S3_ACCESS_KEY: z.string().optional(),
  S3_SECRET_KEY: z.string().optional(),
  S3_REGION: z.string().default('us-east-1'),
  REDIS_URL: z.string().regex(/^rediss?:\/\//, 'redis://[:password@]host:port'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Local folder for caches: replica files, prepared models. */
  DATA_DIR: z.string().min(1),
  HOST: z.string().default('127.0.0.1'),
  PORT: int(0, 65535).default(8080),
  /** Needed to listen on anything but loopback; sent as `Authorization: Bearer`. */
  API_KEY: z.string().min(16).optional(),
  /** Further Host/Origin names that the API answers to, beside loopback. */
  ALLOWED_HOSTS: list.default([]),
  /** Folders that imports from disk may read. */
  IMPORT_ROOTS: list.default([]),
  MAX_UPLOAD_BYTES: int(1024, 1024 ** 3).default(64 * 1024 * 1024),
  LANE_SECRET: z.string().min(16),
  LANE_HOST: z.string().default('127.0.0.1'),
  /** Port of the interactive lane; 0 takes a free one. */
  LANE_PORT: int(0, 65535).default(0),
  /** URL under which the API reaches the lane, when it is not http://LANE_HOST:port. */
  LANE_URL: z.url().optional(),
  MODEL_DIR: z.string().min(1),
  EXECUTION_PROVIDERS: list.default(['cpu']),
  EMBED_PROCESSES: int(1, 64).default(availableParallelism()),
  MAX_IMAGE_PIXELS: int(1024, 1e9).default(5e7),
  /** How often open work is fed again and leases are looked at. */
  RECONCILE_INTERVAL_MS: int(100, 600_000).default(30_000),
  LEASE_MS: int(500, 600_000).default(10_000),
  /** How long batches and log entries are grouped into one commit. */
  COMMIT_INTERVAL_MS: int(0, 60_000).default(500),
  /** How long a replica may read files of an older manifest. */
  SNAPSHOT_RETENTION_MS: int(0, 7 * 86_400_000).default(600_000),
  /** How long the answer to an Idempotency-Key is known at least. */
  IDEMPOTENCY_RETENTION_MS: int(3_600_000, 90 * 86_400_000).default(7 * 86_400_000),
  /** Age at which what a request stored is deleted when it was never accepted; a request is refused from half of it on. */
  UPLOAD_RETENTION_MS: int(3_600_000, 30 * 86_400_000).default(86_400_000),
  /** Of the process that merges small segments, and as much again of the one that merges large ones. */
  MERGE_MEMORY_BYTES: int(256 * 1024 ** 2, 2 ** 42).default(
    Math.max(512 * 1024 ** 2, Math.floor(totalmem() / 4))
  ),
  /** What the collections that an api process has loaded may hold in memory; the least used are let go. */
  REPLICA_MEMORY_BYTES: int(1, 2 ** 50).optional(),
  REPLICA_POLL_MS: int(50, 60_000).default(1_000),
  /** Name of the parent's IPC-less test hooks; never set in production. */
  LIKENESS_TEST_HOOKS: z.string().optional()
} as const
export type SettingName = keyof typeof settings
type Settings<K extends SettingName> = { [N in K]: z.output<(typeof settings)[N]> }

/** Names of all settings with their meaning live in the README's table. */
export function readSettings<K extends SettingName>(
  env: Record<string, string | undefined>,
  names: readonly K[]
): Settings<K> {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const name of names) {
    const text = env[name] === '' ? undefined : env[name]
    const parsed = settings[name].safeParse(text)
    if (parsed.success) values[name] = parsed.data
    else
      problems.push(
        `${name}: ${text === undefined ? 'is required' : parsed.error.issues.map((issue) => issue.message).join('; ')}`
      )
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return values as Settings<K>
}

export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`bad configuration:\n  ${problems.join('\n  ')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** For app config files: prints every problem and exits 2 before anything is connected. */
export function readSettingsOrExit<K extends SettingName>(
  env: Record<string, string | undefined>,
  names: readonly K[]
): Settings<K> {
  try {
    return readSettings(env, names)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(2)
  }
}
