// The files of collections that a replica keeps on its disk: a folder each, also of collections that
// are not in memory and of those that the process before this one had.
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface KeptCollection {
  collectionId: string
  /** Time of the last read; 0: not known. */
  usedAtMs: number
}

/** Shortest time between two marks of a collection. */
const markEveryMs = 60_000
const loading = '.loading'
const isCollectionId = (name: string): boolean => /^[0-9A-Z]{26}$/.test(name)

export class KeptCollections {
  private readonly dir: string
  private readonly markedAtMs = new Map<string, number>()

  constructor(dir: string) {
    this.dir = dir
  }

  folderOf(collectionId: string): string {
    return join(this.dir, collectionId)
  }

  /** An empty file whose time of change is the last use: nothing in it can be damaged. */
  private markOf(collectionId: string): string {
    return `${this.folderOf(collectionId)}.used`
  }

  /** Remembers a use over the end of the process. Costs nothing when it was marked a moment ago. */
  async markUsed(collectionId: string, nowMs: number): Promise<void> {
    if (nowMs - (this.markedAtMs.get(collectionId) ?? -Infinity) < markEveryMs) return
    this.markedAtMs.set(collectionId, nowMs)
    const mark = this.markOf(collectionId)
    await mkdir(this.dir, { recursive: true })
    await writeFile(mark, '')
    await utimes(mark, nowMs / 1000, nowMs / 1000)
  }

  /** Remembers a load until `endLoad`, over the end of the process. */
  async beginLoad(collectionId: string): Promise<void> {
    await mkdir(this.dir, { recursive: true })
    await writeFile(`${this.folderOf(collectionId)}${loading}`, '')
  }

  async endLoad(collectionId: string): Promise<void> {
    await rm(`${this.folderOf(collectionId)}${loading}`, { force: true })
  }

  /** Returns the collections whose load was cut off by the end of a process, and forgets that. */
  async takeCutOff(): Promise<Set<string>> {
    const names = await readdir(this.dir).catch(orElse([]))
    const cutOff = names.filter((name) => name.endsWith(loading))
    await Promise.all(cutOff.map((name) => rm(join(this.dir, name), { force: true })))
    return new Set(cutOff.map((name) => name.slice(0, -loading.length)))
  }

  /** Returns the collections with files here, the last used one first. */
  async list(): Promise<KeptCollection[]> {
    const names = await readdir(this.dir).catch(orElse([]))
    const kept = names.filter(isCollectionId).map(async (collectionId) => {
      const mark = await stat(this.markOf(collectionId)).catch(orElse(undefined))
      return { collectionId, usedAtMs: mark?.mtimeMs ?? 0 }
    })
    return (await Promise.all(kept)).sort((a, b) => b.usedAtMs - a.usedAtMs)
  }

  async sizeBytes(collectionId: string): Promise<number> {
    const folder = this.folderOf(collectionId)
    const names = await readdir(folder).catch(orElse([]))
    const sizes = names.map(async (name) => {
      const file = await stat(join(folder, name)).catch(orElse(undefined))
      return file?.size ?? 0
    })
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  }

  async remove(collectionId: string): Promise<void> {
    this.markedAtMs.delete(collectionId)
    await rm(this.folderOf(collectionId), { recursive: true, force: true })
    await rm(this.markOf(collectionId), { force: true })
  }
}

const orElse =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return value
    throw error
  }
