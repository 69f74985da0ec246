// S3 servers that the tests can get and start. `S3_SERVER` chooses; the default is the first.

export interface S3Kind {
  name: string
  /** Name of the executable. */
  command: string
  /** Go package that builds the executable, and the pinned version. */
  goPackage: string
  version: string
  oldestGo: readonly [major: number, minor: number]
  /** Duration of the build, for the waiting user: "two minutes". */
  buildTakes: string
  healthPath: string
  args(address: string, dataDir: string): string[]
  env(keys: S3Keys): Record<string, string>
}

export interface S3Keys {
  accessKey: string
  secretKey: string
}

/** Objects are files below a folder. Conditional writes are atomic per key from v1.8.0 on. */
const versitygw: S3Kind = {
  name: 'VersityGW',
  command: 'versitygw',
  goPackage: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
  oldestGo: [1, 25],
  buildTakes: 'one to three minutes',
  healthPath: '/healthz',
  args: (address, dataDir) => [
    '--port',
    address,
    '--health',
    '/healthz',
    '--keep-alive',
    '--quiet',
    'posix',
    dataDir
  ],
  env: ({ accessKey, secretKey }) => ({ ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey })
}

/** Last commit of the archived repository, which has no releases any more. */
const minio: S3Kind = {
  name: 'MinIO',
  command: 'minio',
  goPackage: 'github.com/minio/minio',
  version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
  oldestGo: [1, 24],
  buildTakes: 'five to ten minutes',
  healthPath: '/minio/health/ready',
  args: (address, dataDir) => ['server', '--address', address, dataDir],
  env: ({ accessKey, secretKey }) => ({
    MINIO_ROOT_USER: accessKey,
    MINIO_ROOT_PASSWORD: secretKey,
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off'
  })
}

const kinds: Record<string, S3Kind> = { versitygw, minio }

/** Throws for an unknown name. */
export function s3Kind(name = process.env.S3_SERVER || versitygw.command): S3Kind {
  const kind = kinds[name]
  if (kind !== undefined) return kind
  throw new Error(`S3_SERVER is ${name}; it must be one of ${Object.keys(kinds).join(', ')}.`)
}
