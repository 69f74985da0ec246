// Starts a real S3 server for tests, which dies with the process that started it; or uses the one in S3_TEST_ENDPOINT.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findMinio } from './minio-binary.ts'

export interface S3TestServer {
  endpoint: string
  accessKey: string
  secretKey: string
  /** Ends the server and removes its data, unless the folder was given or the server is not ours. */
  stop(): Promise<void>
}

const startAttempts = 3
const readyWithinMs = 60_000

/** Undefined where no S3 server can be had; why is printed, loudly. `dir` keeps the data there instead of a temporary folder. */
export async function startMinio({ dir }: { dir?: string } = {}): Promise<S3TestServer | undefined> {
  const found = await findMinio()
  if ('path' in found) return startServer(found.path, dir)
  const { S3_TEST_ENDPOINT: endpoint, S3_TEST_ACCESS_KEY: accessKey, S3_TEST_SECRET_KEY: secretKey } = process.env
  if (endpoint && accessKey && secretKey) return { endpoint, accessKey, secretKey, stop: async () => {} }
  const line = '!'.repeat(100)
  console.log(`${line}\nNOT RUN ON S3: ${found.missing}; S3_TEST_ENDPOINT, _ACCESS_KEY and _SECRET_KEY are not set.\n${line}`)
  return undefined
}

async function startServer(binary: string, dir: string | undefined): Promise<S3TestServer> {
  const home = await mkdtemp(path.join(tmpdir(), 'likeness-minio-'))
  const data = dir ?? path.join(home, 'data')
  await mkdir(data, { recursive: true })
  const accessKey = `test${randomBytes(6).toString('hex')}`
  const secretKey = randomBytes(18).toString('hex')
  const env = { ...process.env, HOME: home, MINIO_ROOT_USER: accessKey, MINIO_ROOT_PASSWORD: secretKey, MINIO_BROWSER: 'off', MINIO_UPDATE: 'off' }
  let log = ''
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    const address = `127.0.0.1:${await freePort()}`
    const child = spawnWithParent([binary, 'server', '--address', address, data], env, (text) => (log = (log + text).slice(-2000)))
    if (await isReady(child, `http://${address}`)) {
      const stop = async () => {
        await end(child)
        await rm(home, { recursive: true, force: true, maxRetries: 5 })
      }
      return { endpoint: `http://${address}`, accessKey, secretKey, stop }
    }
    await end(child)
  }
  throw new Error(`MinIO did not start: ${log}`)
}

/** The shell ends the server when our end of its standard input closes, so also when we are killed. */
function spawnWithParent(command: string[], env: NodeJS.ProcessEnv, onOutput: (text: string) => void): ChildProcess {
  const script = 'exec 3<&0; "$@" </dev/null 3<&- & server=$!; { cat <&3 >/dev/null; kill $server; } & wait $server'
  const child = spawn('sh', ['-c', script, 'sh', ...command], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdout?.on('data', (chunk: Buffer) => onOutput(chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => onOutput(chunk.toString()))
  return child
}

async function isReady(child: ChildProcess, endpoint: string): Promise<boolean> {
  for (const deadline = Date.now() + readyWithinMs; Date.now() < deadline && child.exitCode === null; await sleep(100)) {
    const answer = await fetch(`${endpoint}/minio/health/ready`).catch(() => undefined)
    if (answer?.ok) return true
  }
  return false
}

/** Not only asked to end: its folder is removed next. */
async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin?.end()
  if (child.exitCode === null && child.signalCode === null) await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('the test server has no port')
  return address.port
}
