// A real S3 server for tests, by one name: a running server (S3_TEST_ENDPOINT) or a server started
// here. `S3_SERVER` chooses between VersityGW, the default, and MinIO.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { binaryAtHand, getBinary } from './s3-binary.ts'
import { type S3Keys, s3Kind } from './s3-kinds.ts'
import { launchS3 } from './s3-process.ts'

export interface S3TestServer extends S3Keys {
  /** Name for the user. */
  name: string
  endpoint: string
  /** Ends the server and removes its data. A supplied folder or an external server stays. */
  stop(): Promise<void>
}
export interface S3ServerOptions {
  /** Folder for the data, in place of a temporary folder. */
  dir?: string
  say?: (line: string) => void
}

/**
 * Returns whether a server can be started right away: it is running, or the executable exists. Gets
 * and builds no server.
 */
export async function s3ServerAtHand(): Promise<boolean> {
  return runningServer() !== undefined || (await binaryAtHand(s3Kind())) !== undefined
}

/**
 * Starts the server, and gets the executable when there is none. Rejects with instructions for the
 * user.
 */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3TestServer> {
  const running = runningServer()
  if (running !== undefined) return running
  const kind = s3Kind()
  const binary = await getBinary(kind, options.say ?? console.log)
  const home = await mkdtemp(path.join(tmpdir(), 'likeness-s3-'))
  const removeHome = () => rm(home, { recursive: true, force: true, maxRetries: 5 })
  const dataDir = options.dir ?? path.join(home, 'data')
  const keys = {
    accessKey: `test${randomBytes(6).toString('hex')}`,
    secretKey: randomBytes(18).toString('hex')
  }
  try {
    await mkdir(dataDir, { recursive: true })
    const { endpoint, end } = await launchS3(kind, { binary, dataDir, home, keys })
    const stop = () => end().then(removeHome)
    return { name: `${kind.name} at ${endpoint}`, endpoint, ...keys, stop }
  } catch (error) {
    await removeHome()
    throw error
  }
}

/** Gets the executable, so that tests which start a server need not wait for it. */
export async function getS3Server(say: (line: string) => void = console.log): Promise<void> {
  if (runningServer() === undefined) await getBinary(s3Kind(), say)
}

function runningServer(): S3TestServer | undefined {
  const {
    S3_TEST_ENDPOINT: endpoint,
    S3_TEST_ACCESS_KEY: accessKey,
    S3_TEST_SECRET_KEY: secretKey
  } = process.env
  if (!endpoint) return undefined
  if (!accessKey || !secretKey) {
    throw new Error('S3_TEST_ENDPOINT needs S3_TEST_ACCESS_KEY and S3_TEST_SECRET_KEY beside it.')
  }
  return { name: `S3 at ${endpoint}`, endpoint, accessKey, secretKey, stop: async () => {} }
}
