// Finds the executable of an S3 server: from S3_SERVER_BINARY, from the user's cache, or built by
// Go.
import { execFile, spawn } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { S3Kind } from './s3-kinds.ts'

const run = promisify(execFile)
const logChars = 2000

/** Returns the existing executable. Throws when S3_SERVER_BINARY names no executable. */
export async function binaryAtHand(kind: S3Kind): Promise<string | undefined> {
  const given = process.env.S3_SERVER_BINARY
  if (given) {
    if (await isExecutable(given)) return given
    throw new Error(`S3_SERVER_BINARY is ${given}, which is no executable file.`)
  }
  const cached = path.join(cacheOf(kind), kind.command)
  return (await isExecutable(cached)) ? cached : undefined
}

/** Builds the pinned version once into the cache and reports this; throws when Go cannot build. */
export async function getBinary(kind: S3Kind, say: (line: string) => void): Promise<string> {
  const atHand = await binaryAtHand(kind)
  if (atHand !== undefined) return atHand
  const go = await goVersion(kind)
  if (go === undefined) throw new Error(noServer(kind, `no Go >= ${kind.oldestGo.join('.')} here`))
  const target = cacheOf(kind)
  const what = `${kind.name} ${kind.version}`
  say(`Building ${what} with ${go} into ${target}: once, ${kind.buildTakes}.`)
  const startedMs = Date.now()
  const failure = await build(kind, target)
  if (failure !== undefined) throw new Error(noServer(kind, `its build failed:\n${failure}`))
  say(`Built ${what} in ${Math.round((Date.now() - startedMs) / 1000)} s.`)
  return path.join(target, kind.command)
}

function noServer(kind: S3Kind, why: string): string {
  const line = '!'.repeat(100)
  const wanted = `${kind.name} ${kind.version}`
  return `\n${line}\nNO S3 SERVER FOR THE TESTS: ${wanted} is not in the cache, and ${why}
Install Go >= ${kind.oldestGo.join('.')}, which builds it once from the Go module proxy,
or set S3_SERVER_BINARY to an executable of ${kind.name},
or set S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY and S3_TEST_SECRET_KEY to a server that runs.
${line}`
}

function cacheOf(kind: S3Kind): string {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache')
  return path.join(cache, 'likeness', `${kind.command}-${kind.version}`)
}

/** Returns the end of Go's log after a failure. */
async function build(kind: S3Kind, target: string): Promise<string | undefined> {
  await mkdir(path.dirname(target), { recursive: true })
  const temp = await mkdtemp(`${target}-building-`)
  try {
    const log = await goInstall(`${kind.goPackage}@${kind.version}`, temp)
    if (log !== undefined) return log
    await rename(temp, target).catch(async (error: unknown) => {
      // Another process may have built the executable first.
      if (!(await isExecutable(path.join(target, kind.command)))) throw error
    })
    return undefined
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function goInstall(source: string, folder: string): Promise<string | undefined> {
  const args = ['-n', '10', 'go', 'install', '-trimpath', '-ldflags', '-s -w', source]
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' }
  const child = spawn('nice', args, { env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-logChars)))
  const code = await new Promise((resolve, reject) => {
    child.on('close', resolve).on('error', reject)
  })
  return code === 0 ? undefined : log
}

async function goVersion({ oldestGo }: S3Kind): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION'])
    const [major = 0, minor = 0] = stdout.trim().replace(/^go/, '').split('.').map(Number)
    const enough = major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1])
    return enough ? stdout.trim() : undefined
  } catch {
    // Go is missing here, which is a normal answer to this question.
    return undefined
  }
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false
  )
}
