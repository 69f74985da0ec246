// The environment of each app, written in full: the parent's other variables have no effect.
import { join } from 'node:path'
import { inheritedEnvironment } from '../config.ts'
import type { AppName } from './app-process.ts'

export interface S3Settings {
  endpoint: string
  accessKey: string
  secretKey: string
  bucket: string
  region?: string
  /** Prefix of the keys of this stack. */
  prefix?: string
}
export interface StackSettings {
  dataDir: string
  objectStore: 'dir' | S3Settings
  redisUrl: string
  embedderSecret: string
  modelDir: string
  importRoots: readonly string[]
  embedProcesses: number
  /** 0 chooses a free port at the first start. */
  apiPort: number
  logLevel: string
}

function storeSettings({ objectStore, dataDir }: StackSettings): Record<string, string> {
  if (objectStore === 'dir') return { OBJECT_STORE: `dir:${join(dataDir, 'objects')}` }
  const { endpoint, accessKey, secretKey, bucket, region, prefix } = objectStore
  return {
    OBJECT_STORE: `s3://${bucket}${prefix === undefined ? '' : `/${prefix}`}`,
    S3_ENDPOINT: endpoint,
    S3_ACCESS_KEY: accessKey,
    S3_SECRET_KEY: secretKey,
    ...(region === undefined ? {} : { S3_REGION: region })
  }
}

function ownSettings(app: AppName, settings: StackSettings): Record<string, string> {
  switch (app) {
    case 'api':
      return {
        PORT: String(settings.apiPort),
        IMPORT_ROOTS: settings.importRoots.join(','),
        LANE_SECRET: settings.embedderSecret
      }
    case 'embed-worker':
      return {
        MODEL_DIR: settings.modelDir,
        EMBED_PROCESSES: String(settings.embedProcesses),
        LANE_SECRET: settings.embedderSecret,
        // Refuses SVG and rare formats of untrusted pictures, for every build of libvips.
        VIPS_BLOCK_UNTRUSTED: '1'
      }
    case 'index-worker':
      return {}
  }
}

/** `instance` names the cache folder: two processes never share a folder. */
export function appEnvironment(
  app: AppName,
  instance: string,
  settings: StackSettings
): Record<string, string> {
  return {
    ...inheritedEnvironment(),
    LANG: 'C.UTF-8',
    // Otherwise native memory of image work stays in an arena per thread.
    MALLOC_ARENA_MAX: '2',
    OMP_WAIT_POLICY: 'passive',
    OPENBLAS_NUM_THREADS: '1',
    REDIS_URL: settings.redisUrl,
    LOG_LEVEL: settings.logLevel,
    DATA_DIR: join(settings.dataDir, 'cache', instance),
    ...storeSettings(settings),
    ...ownSettings(app, settings)
  }
}
