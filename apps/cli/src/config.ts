// The only place of this program that reads the environment.
import { existsSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const inherited = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LD_LIBRARY_PATH',
  'NODE_EXTRA_CA_CERTS',
  'CUDA_VISIBLE_DEVICES'
] as const

/** Returns the parent's environment variables that child processes may see. */
export function inheritedEnvironment(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of inherited) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return env
}

export const isCommand = (name: string): boolean =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, name)))

/** Resolves a path as the user typed it: relative to the folder of the call, which npm changes. */
export const fromCallersFolder = (path: string): string =>
  resolve(process.env.LIKENESS_CALLER_FOLDER ?? process.cwd(), path)

/** Returns the S3 server that the user has named, if any. */
export function s3FromEnvironment():
  | { endpoint: string; accessKey: string; secretKey: string; region?: string; bucket?: string }
  | undefined {
  const {
    S3_ENDPOINT: endpoint,
    S3_ACCESS_KEY: accessKey,
    S3_SECRET_KEY: secretKey,
    S3_REGION: region,
    S3_BUCKET: bucket
  } = process.env
  if (!endpoint || !accessKey || !secretKey) return undefined
  return {
    endpoint,
    accessKey,
    secretKey,
    ...(region ? { region } : {}),
    ...(bucket ? { bucket } : {})
  }
}

/** Default data folder of this machine's stack. */
export const dataHome = (): string =>
  process.env.LIKENESS_HOME
    ? fromCallersFolder(process.env.LIKENESS_HOME)
    : fileURLToPath(new URL('../../../.likeness', import.meta.url))

/** Returns address and key of a stack that runs elsewhere. */
export function apiFromEnvironment(): { url: string | undefined; apiKey: string | undefined } {
  return {
    url: process.env.LIKENESS_API || undefined,
    apiKey: process.env.LIKENESS_API_KEY || process.env.API_KEY || undefined
  }
}

/** Returns an object store by its address, with the S3 settings of the environment. */
export const storeFromEnvironment = (
  url: string
): {
  OBJECT_STORE: string
  S3_ENDPOINT?: string
  S3_ACCESS_KEY?: string
  S3_SECRET_KEY?: string
  S3_REGION: string
} => ({
  OBJECT_STORE: url,
  S3_ENDPOINT: process.env.S3_ENDPOINT || undefined,
  S3_ACCESS_KEY: process.env.S3_ACCESS_KEY || undefined,
  S3_SECRET_KEY: process.env.S3_SECRET_KEY || undefined,
  S3_REGION: process.env.S3_REGION || 'us-east-1'
})

/** Model of a stack that is started here; undefined: the built-in model. */
export const modelDirFromEnvironment = (): string | undefined =>
  process.env.MODEL_DIR ? fromCallersFolder(process.env.MODEL_DIR) : undefined
