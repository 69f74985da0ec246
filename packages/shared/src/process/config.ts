// Every setting of every app: name, range and default. Read once by an app's config.ts. A bad
// environment prints all problems at once.
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
  /** Needed to listen on any address except loopback. Sent as `Authorization: Bearer`. */
  API_KEY: z.string().min(16).optional(),
  /** Further Host/Origin names that the API answers to, beside loopback. */
  ALLOWED_HOSTS: list.default([]),
  /** Folders that imports from disk may read. */
  IMPORT_ROOTS: list.default([]),
  MAX_UPLOAD_BYTES: int(1024, 1024 ** 3).default(64 * 1024 * 1024),
  LANE_SECRET: z.string().min(16),
  LANE_HOST: z.string().default('127.0.0.1'),
  /** Port of the embed server; 0 takes a free port. */
  LANE_PORT: int(0, 65535).default(0),
  /** URL under which the API reaches the embed server, when it is not http://LANE_HOST:port. */
  LANE_URL: z.url().optional(),
  MODEL_DIR: z.string().min(1),
  EXECUTION_PROVIDERS: list.default(['cpu']),
  EMBED_PROCESSES: int(1, 64).default(availableParallelism()),
  MAX_IMAGE_PIXELS: int(1024, 1e9).default(5e7),
  /** Time between two checks that schedule open work again and look at leases. */
  RECONCILE_INTERVAL_MS: int(100, 600_000).default(30_000),
  LEASE_MS: int(500, 600_000).default(10_000),
  /** Time in which batches and log entries are grouped into one commit. */
  COMMIT_INTERVAL_MS: int(0, 60_000).default(500),
  /** Time for which a replica may read files of an older manifest. */
  SNAPSHOT_RETENTION_MS: int(0, 7 * 86_400_000).default(600_000),
  /** Shortest time for which the answer to an Idempotency-Key is known. */
  IDEMPOTENCY_RETENTION_MS: int(3_600_000, 90 * 86_400_000).default(7 * 86_400_000),
  /**
   * Age at which the stored files of a request that was never accepted are deleted. A request is
   * refused from half of that age on.
   */
  JOB_RETENTION_MS: int(3_600_000, 3_650 * 86_400_000).default(30 * 86_400_000),
  UPLOAD_RETENTION_MS: int(3_600_000, 30 * 86_400_000).default(86_400_000),
  /**
   * Memory of the process that merges small segments. The process that merges large segments gets
   * the same amount.
   */
  MERGE_MEMORY_BYTES: int(256 * 1024 ** 2, 2 ** 42).default(
    Math.max(512 * 1024 ** 2, Math.floor(totalmem() / 4))
  ),
  /**
   * Most memory for the collections that an api process has loaded. The least used are unloaded.
   */
  REPLICA_MEMORY_BYTES: int(1, 2 ** 50).optional(),
  /**
   * Most disk for the files of collections in DATA_DIR. Those of loaded collections are never removed.
   */
  REPLICA_DISK_BYTES: int(0, 2 ** 50).default(16 * 1024 ** 3),
  /** Longest time after a start in which /readyz waits for collections that are being loaded. */
  REPLICA_READY_MS: int(0, 3_600_000).default(120_000),
  REPLICA_POLL_MS: int(50, 60_000).default(1_000),
  /** Name of the parent's IPC-less test hooks; never set in production. */
  LIKENESS_TEST_HOOKS: z.string().optional()
} as const
export type SettingName = keyof typeof settings
type Settings<K extends SettingName> = { [N in K]: z.output<(typeof settings)[N]> }

/**
 * Reads the named settings. Throws ConfigError with every problem. The README's table explains all
 * settings.
 */
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

/**
 * Reads settings for the config file of an app: prints every problem and exits with 2 before any
 * connection is made.
 */
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
