// Finds leftovers of ingestions that were never accepted: pictures, item lists and vector batches
// of an api process that died before its log entry.
import { type CollectionKeys, ingestionOfImage } from '@likeness/shared/contract/keys'
import { createUlid, ulidPattern, ulidTimeMs } from '@likeness/shared/data/ulid'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { AcceptedIngestions, type AppliedState } from './accepted-ingestions.ts'

export interface UploadSource {
  store: ObjectStore
  clock: Clock
  keys: CollectionKeys
  retentionMs: number
}

const firstOfName = (name: string): string => name.slice(0, 26)

/** Characters of a ULID that name the folder of its pictures. */
const timeChars = 7
/** Ingestions looked at in one turn, so that a turn takes seconds. */
const ingestionsPerTurn = 200
/** Objects listed of an ingestion before the rest of that ingestion is skipped. */
const keysBeforeSkip = 100

/**
 * Names under a prefix begin with the id of their ingestion, so they come by age. Folders of pictures
 * have 33 s each: names in folders come a little before those of programs before 0.4, without one.
 */
interface Walk {
  prefix: string
  ingestionOf: (name: string) => string | undefined
  /** Keys up to this one were looked at. */
  after: string
}

export class UnacceptedUploads {
  private readonly source: UploadSource
  private readonly walks: Walk[]
  private readonly accepted: AcceptedIngestions
  private readonly found = new Set<string>()
  /** Prefixes whose last turn ended before the retention did. */
  private readonly unfinished = new Set<string>()

  constructor(source: UploadSource) {
    this.source = source
    this.accepted = new AcceptedIngestions(source)
    const { imagePrefix, ingestionsPrefix, batchesPrefix } = source.keys
    const walk = (prefix: string, ingestionOf: Walk['ingestionOf']): Walk => ({
      prefix,
      ingestionOf,
      after: prefix
    })
    this.walks = [
      walk(imagePrefix, ingestionOfImage),
      walk(ingestionsPrefix, firstOfName),
      walk(batchesPrefix, firstOfName)
    ]
  }

  /**
   * Returns ids of ingestions past the retention that were not accepted. Continues where the last call
   * ended, even a failed one; a new writer begins with the oldest of which that is known. A request is
   * refused when it is older than half the retention (apps/api/src/ingest/ingestion.ts). So after the
   * whole retention a log entry can no longer name an ingestion; hours remain for clocks that differ
   * and for late answers.
   */
  async find(state: AppliedState): Promise<string[]> {
    const knownFromMs = await this.accepted.knownFromMs(state)
    for (const walk of this.walks) await this.advance(walk, state, knownFromMs)
    return [...this.found]
  }

  /** Whether the next turn has ingestions to look at, or to delete, that are there by now. */
  get hasLeft(): boolean {
    return this.unfinished.size > 0 || this.found.size > 0
  }

  private async advance(walk: Walk, state: AppliedState, knownFromMs: number): Promise<void> {
    const { store, clock, retentionMs } = this.source
    const untilMs = clock.nowMs() - retentionMs
    const first = `${walk.prefix}${createUlid(knownFromMs).slice(0, timeChars)}`
    if (first > walk.after) walk.after = first
    this.unfinished.delete(walk.prefix)
    for (let looked = 0, last = '', skipping = true; skipping; ) {
      skipping = false
      let keys = 0
      for await (const { key } of store.list(walk.prefix, { startAfter: walk.after })) {
        const ingestion = walk.ingestionOf(key.slice(walk.prefix.length))
        if (ingestion === undefined || !ulidPattern.test(ingestion)) continue
        if (ingestion !== last) {
          if (ulidTimeMs(ingestion) > untilMs) return
          const isKnown = ulidTimeMs(ingestion) >= knownFromMs
          if (looked++ === ingestionsPerTurn) {
            this.unfinished.add(walk.prefix)
            return
          }
          keys = 0
          last = ingestion
          if (isKnown && !(await this.accepted.has(ingestion, state))) this.found.add(ingestion)
        }
        walk.after = key
        if (++keys < keysBeforeSkip) continue
        walk.after = `${key.slice(0, key.indexOf(ingestion, walk.prefix.length))}${ingestion}~`
        skipping = true
        break
      }
    }
  }

  /**
   * Returns all stored objects of the ingestions that were found and are still not accepted. Call
   * this when every existing slot is applied. Throws data_corrupt when the log is damaged.
   */
  async objects(state: AppliedState): Promise<string[]> {
    const { store, keys } = this.source
    const objects: string[] = []
    await this.accepted.removeLogged(this.found, state)
    for (const ingestion of [...this.found]) {
      if (await this.accepted.has(ingestion, state)) {
        this.found.delete(ingestion)
        continue
      }
      for (const prefix of [
        ...keys.imagePrefixes(ingestion),
        keys.itemListPrefix(ingestion),
        keys.batchPrefix(ingestion)
      ]) {
        for await (const { key } of store.list(prefix)) objects.push(key)
      }
    }
    return objects
  }

  /** Call this after the found uploads are deleted. */
  clear(): void {
    this.found.clear()
  }
}
