// Conditional rewrites of a directory store's object: a chain beside the object's file that grows
// by link(2). directory-store.md explains why this is right under crashes, stalls and races.
import { link, mkdir, open, readdir, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { appError, isAppError } from '@likeness/shared/errors'
import {
  hasCode,
  isMissing,
  type ObjectFile,
  openObjectFile,
  uniqueName
} from './directory-file.ts'
import type { DirectoryPaths } from './directory-paths.ts'
import type { SyncDirectory } from './directory-sync.ts'

/** `moved`: the object changed during the look; look again. */
type Evaluation = { state: 'none' | 'moved' } | { state: 'head'; token: Token; body?: ObjectFile }

interface Token {
  generation: number
  /** The write that is current while the directory has this name. */
  etag: string
  directory: string
}

export interface CurrentObject {
  file: ObjectFile
  /** Undefined until a write with ifMatch has replaced the object's own file. */
  token: Token | undefined
}

export interface VersionsDeps {
  paths: DirectoryPaths
  sync: SyncDirectory
  /** Called between steps. Tests stall and kill here. */
  onStep: (step: string) => Promise<void> | void
}

const maxAttempts = 1000
const cleanEvery = 32
/**
 * Age from which older bodies are removed. A link(2) that the kernel began under an older name must
 * still find its name taken.
 */
const cleanAfterMs = 10_000

/**
 * Opens the current write of the key, or returns undefined when there is no object. The caller
 * closes the file. data_corrupt names the key and the file.
 */
export async function openCurrent(
  deps: VersionsDeps,
  key: string
): Promise<CurrentObject | undefined> {
  try {
    return await lookUp(deps, key)
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    throw appError('data_corrupt', `${key} is damaged: ${error.message}`, { cause: error })
  }
}

async function lookUp(deps: VersionsDeps, key: string): Promise<CurrentObject | undefined> {
  const objectPath = deps.paths.object(key)
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const base = await openObjectFile(objectPath)
    if (!base) return undefined
    let found: Evaluation = { state: 'moved' }
    try {
      await deps.onStep('opened')
      found = await evaluate(deps, base.etag)
      await deps.onStep('evaluated')
      // This check proves that the result is current: versions of an object's file stay while that
      // file is in place.
      if (found.state !== 'moved' && (await inodeOf(objectPath)) === base.inode)
        return current(found, base)
    } catch (error) {
      await closeBoth(base, found)
      throw error
    }
    await closeBoth(base, found)
  }
  throw appError('store_unavailable', `${key} changed ${maxAttempts} times while it was read.`)
}

/**
 * Makes the finished temporary file the write after `from`. Returns false when another write came
 * first. Exactly one caller per `from` gets true, even when processes die or stall.
 */
export async function appendVersion(
  deps: VersionsDeps,
  from: Token,
  temp: { path: string; etag: string }
): Promise<boolean> {
  const directory = await openDirectory(from.directory)
  if (!directory) return false
  try {
    await deps.onStep('before link')
    if (!(await linkOnce(temp.path, successorPath(from)))) return false
    await deps.onStep('linked')
    await directory.sync()
  } finally {
    await directory.close()
  }
  await deps.onStep('durable')
  const next = await advance(from, temp.etag)
  if (next.generation % cleanEvery === 0) await clean(deps, next)
  return true
}

/** Starts the chain of a write that has none yet. Several callers may try; one chain remains. */
export async function createVersions(deps: VersionsDeps, key: string, etag: string): Promise<void> {
  const temp = path.join(deps.paths.tmp, uniqueName())
  try {
    // The random part is in every later path, so that a link meant for a removed chain cannot land
    // in a new chain.
    await mkdir(path.join(temp, `0-${etag}-${uniqueName()}`), { recursive: true })
    await writeFile(path.join(temp, 'key'), key, { flush: true })
  } catch (error) {
    await rm(temp, { recursive: true, force: true })
    throw error
  }
  await deps.onStep('before versions')
  try {
    await rename(temp, deps.paths.versionsOf(etag))
  } catch (error) {
    await rm(temp, { recursive: true, force: true })
    if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error
  }
}

async function evaluate(deps: VersionsDeps, baseEtag: string): Promise<Evaluation> {
  const versions = deps.paths.versionsOf(baseEtag)
  const names = await readdir(versions).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (!names) return { state: 'none' }
  const name = names.find((entry) => entry !== 'key')
  if (name === undefined) return { state: 'moved' }
  const [generation = '', etag = '', before = ''] = name.split('-')
  const token = { generation: Number(generation), etag, directory: path.join(versions, name) }

  const successor = await openObjectFile(successorPath(token))
  if (successor) {
    await successor.handle.close()
    await advance(token, successor.etag)
    return { state: 'moved' }
  }
  // At that moment there was no successor, if the directory still has this name now.
  if (token.generation === 0) {
    return (await inodeOf(token.directory)) === undefined
      ? { state: 'moved' }
      : { state: 'head', token }
  }
  const body = await openObjectFile(path.join(token.directory, before))
  return body ? { state: 'head', token, body } : { state: 'moved' }
}

/**
 * Returns the path of a write's successor: a file named after the write, in the directory that is
 * named after the write.
 */
function successorPath(token: Token): string {
  return path.join(token.directory, token.etag)
}

/**
 * Renames the chain's directory after its new head. Every process that finds a successor does this,
 * because the writer may have died.
 */
async function advance(from: Token, etag: string): Promise<Token> {
  const generation = from.generation + 1
  const directory = path.join(path.dirname(from.directory), `${generation}-${etag}-${from.etag}`)
  try {
    await rename(from.directory, directory)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return { generation, etag, directory }
}

/**
 * Removes the bodies before the head's body. First the directory name must be durable, because this
 * name says where the chain goes on.
 */
async function clean(deps: VersionsDeps, token: Token): Promise<void> {
  const limitMs = Date.now() - cleanAfterMs
  try {
    await deps.sync(path.dirname(token.directory))
    await deps.onStep('before clean')
    const body = path.basename(token.directory).split('-')[2]
    for (const name of await readdir(token.directory)) {
      const file = path.join(token.directory, name)
      if (name !== body && name !== token.etag && (await stat(file)).mtimeMs < limitMs)
        await unlink(file)
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

function current(found: Evaluation, base: ObjectFile): CurrentObject | Promise<CurrentObject> {
  if (found.state !== 'head') return { file: base, token: undefined }
  if (!found.body) return { file: base, token: found.token }
  const { body, token } = found
  return base.handle.close().then(() => ({ file: body, token }))
}

async function closeBoth(base: ObjectFile, found: Evaluation): Promise<void> {
  await base.handle.close()
  if (found.state === 'head') await found.body?.handle.close()
}

async function inodeOf(file: string): Promise<string | undefined> {
  try {
    const stats = await stat(file)
    return `${stats.dev}:${stats.ino}`
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function openDirectory(directory: string) {
  try {
    return await open(directory, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/**
 * Returns false when the name is taken or its directory is gone: in both cases another write came
 * first.
 */
async function linkOnce(temp: string, target: string): Promise<boolean> {
  try {
    await link(temp, target)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    if (isMissing(error) && (await inodeOf(temp)) !== undefined) return false
    throw error
  }
}
