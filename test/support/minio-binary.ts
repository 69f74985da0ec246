// Finds a MinIO server to test against: on PATH, in the user's cache, or built once by Go at a pinned version.
import { execFile, spawn } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** The last state of the archived repository, which has no releases any more: conditional writes are right in it. */
export const minioVersion = 'v0.0.0-20260212201848-7aac2a2c5b7c'
const oldestGo = [1, 24] as const
const run = promisify(execFile)

/** Path of an executable, or why there is none. The first build takes some minutes and says so. */
export async function findMinio(say: (line: string) => void = console.log): Promise<{ path: string } | { missing: string }> {
  const onPath = await firstExecutable((process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, 'minio')))
  if (onPath) return { path: onPath }
  const cache = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'likeness')
  const cached = path.join(cache, `minio-${minioVersion}`, 'minio')
  if (await firstExecutable([cached])) return { path: cached }
  const version = await goVersion()
  if (!version) return { missing: `no minio on PATH or in ${cache}, and no Go >= ${oldestGo.join('.')} to build it` }
  say(`Building MinIO ${minioVersion} with ${version} into ${path.dirname(cached)}; once, some minutes.`)
  const failure = await build(cache, path.dirname(cached))
  return failure === undefined ? { path: cached } : { missing: `MinIO could not be built: ${failure}` }
}

async function build(cache: string, target: string): Promise<string | undefined> {
  await mkdir(cache, { recursive: true })
  const temp = await mkdtemp(path.join(cache, 'minio-building-'))
  const args = ['-n', '10', 'go', 'install', '-trimpath', '-ldflags', '-s -w', `github.com/minio/minio@${minioVersion}`]
  const env = { ...process.env, GOBIN: temp, CGO_ENABLED: '0' }
  try {
    const child = spawn('nice', args, { env, cwd: temp, stdio: ['ignore', 'ignore', 'pipe'] })
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-2000)))
    const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
    if (code !== 0) return log
    await rename(temp, target)
    return undefined
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION'])
    const [major = 0, minor = 0] = stdout.trim().replace(/^go/, '').split('.').map(Number)
    const enough = major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1])
    return enough ? stdout.trim() : undefined
  } catch {
    // No Go here: one of the ordinary answers to this question.
    return undefined
  }
}

async function firstExecutable(files: string[]): Promise<string | undefined> {
  for (const file of files) {
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false
    )
    if (found) return file
  }
  return undefined
}
