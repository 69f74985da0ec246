// Runs the executable of an S3 server as a child that dies together with its parent.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { S3Keys, S3Kind } from './s3-kinds.ts'

export interface S3Process {
  endpoint: string
  /** Resolves when the server has ended. */
  end(): Promise<void>
}
export interface S3Launch {
  binary: string
  dataDir: string
  /**
   * Home folder of the server. So the server does not read settings of the user and leaves no files
   * with the user.
   */
  home: string
  keys: S3Keys
}

const startAttempts = 3
const readyWithinMs = 60_000
const logChars = 2000

/** Starts the server on a free port of this machine. Rejects with the end of its log. */
export async function launchS3(kind: S3Kind, launch: S3Launch): Promise<S3Process> {
  const env = { ...process.env, HOME: launch.home, ...kind.env(launch.keys) }
  let log = ''
  const onOutput = (text: string) => (log = (log + text).slice(-logChars))
  // Tries again, because another process may take the port between the check and the start.
  for (let attempt = 0; attempt < startAttempts; attempt++) {
    const address = `127.0.0.1:${await freePort()}`
    const command = [launch.binary, ...kind.args(address, launch.dataDir)]
    const child = spawnWithParent(command, env, onOutput)
    const endpoint = `http://${address}`
    if (await isReady(child, endpoint + kind.healthPath)) return { endpoint, end: () => end(child) }
    await end(child)
  }
  throw new Error(`${kind.name} (${launch.binary}) did not start on ${launch.dataDir}: ${log}`)
}

/**
 * Starts the server below a shell. The shell ends the server when our end of the pipe closes, so
 * also when we are killed.
 */
function spawnWithParent(
  command: string[],
  env: NodeJS.ProcessEnv,
  onOutput: (text: string) => void
): ChildProcess {
  const script =
    'exec 3<&0; "$@" </dev/null 3<&- & server=$!; ' +
    '{ cat <&3 >/dev/null; kill $server; } & wait $server'
  const child = spawn('sh', ['-c', script, 'sh', ...command], { env, stdio: 'pipe' })
  child.stdout.on('data', (chunk: Buffer) => onOutput(chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => onOutput(chunk.toString()))
  return child
}

async function isReady(child: ChildProcess, url: string): Promise<boolean> {
  const deadline = Date.now() + readyWithinMs
  for (; Date.now() < deadline && child.exitCode === null; await sleep(50)) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return true
  }
  return false
}

/** Ends the server and waits for the end, because its folder is removed next. */
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
  if (address !== null && typeof address !== 'string') return address.port
  throw new Error('the test server has no port')
}
