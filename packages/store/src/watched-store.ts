// A store that reports its failures as troubles: once at once and then every minute, until it works
// again. Every retry of a process goes through its store, so no retry is silent. After a failure
// that concerns the whole store, the store is tried every few seconds, because nobody else may come.
import { randomUUID } from 'node:crypto'
import { isAppError } from '@likeness/shared/errors'
import type { Troubles } from '@likeness/shared/process/troubles'
import type { ObjectStore } from './object-store.ts'

type Act = 'read' | 'write'

export interface WatchOptions {
  troubles: Pick<Troubles, 'report' | 'end'>
  tryEveryMs?: number
}

/** Bytes of a trial write: more than a file system keeps beside the name of a file. */
const trialBytes = 8192
/** A trouble with a part of the keys is over when it was not met for this time. */
const forgetPartMs = 120_000
/** Reasons that may concern a part of the keys only. */
const partialReasons = new Set(['permission_denied', 'access_denied'])
const messages: Record<Act, string> = {
  read: 'the object store cannot be read, trying again',
  write: 'the object store cannot be written, trying again'
}

const isWritten = (written: unknown): boolean => written !== undefined
const collectionOf = (key: string): string | undefined =>
  /^c\/([0-9A-Z]{26})(?:\/|$)/.exec(key)?.[1]

class StoreWatch {
  private readonly store: ObjectStore
  private readonly options: WatchOptions
  private readonly failing: Record<Act, Set<string>> = { read: new Set(), write: new Set() }
  private readonly trialKey = `probe/${randomUUID()}`
  private readonly trials: Partial<Record<Act, NodeJS.Timeout>> = {}

  constructor(store: ObjectStore, options: WatchOptions) {
    this.store = store
    this.options = options
  }

  /** `proves`: whether the result shows that the store works again. Default: every result does. */
  async seen<T>(
    act: Act,
    key: string,
    run: () => Promise<T>,
    proves: (result: T) => boolean = () => true
  ): Promise<T> {
    try {
      const result = await run()
      if (proves(result)) this.worked(act, key)
      return result
    } catch (error) {
      if (isAppError(error, 'store_unavailable')) this.failed(act, key, error)
      throw error
    }
  }

  worked(act: Act, key: string): void {
    if (this.failing[act].size === 0) return
    this.end(act, '')
    this.end(act, collectionOf(key) ?? key.split('/')[0]!)
  }

  failed(act: Act, key: string, error: unknown): void {
    const reason = isAppError(error) ? error.detail?.reason : undefined
    const isPartial = typeof reason === 'string' && partialReasons.has(reason)
    const collectionId = isPartial ? collectionOf(key) : undefined
    const part = isPartial ? (collectionId ?? key.split('/')[0]!) : ''
    this.failing[act].add(part)
    this.options.troubles.report(`store ${act} ${part}`, {
      error,
      message: messages[act],
      ...(isPartial && { forgetMs: forgetPartMs }),
      ...(collectionId !== undefined && { collectionId, stands: true })
    })
    if (!isPartial) this.startTrials(act)
  }

  close(): void {
    clearInterval(this.trials.read)
    clearInterval(this.trials.write)
  }

  private end(act: Act, part: string): void {
    if (!this.failing[act].delete(part)) return
    this.options.troubles.end(`store ${act} ${part}`)
    if (part !== '') return
    clearInterval(this.trials[act])
    this.trials[act] = undefined
  }

  private startTrials(act: Act): void {
    this.trials[act] ??= setInterval(
      // The result is what `seen` learns from the trial.
      () => void this.seen(act, this.trialKey, () => this.trial(act)).catch(() => undefined),
      this.options.tryEveryMs ?? 5_000
    ).unref()
  }

  private async trial(act: Act): Promise<void> {
    if (act === 'read') return void (await this.store.head(this.trialKey))
    await this.store.put(this.trialKey, new Uint8Array(trialBytes))
    await this.store.delete([this.trialKey])
  }
}

export function watchStore(store: ObjectStore, options: WatchOptions): ObjectStore {
  const watch = new StoreWatch(store, options)
  return {
    kind: store.kind,
    get: (key) => watch.seen('read', key, () => store.get(key)),
    getRange: (key, offset, length) =>
      watch.seen('read', key, () => store.getRange(key, offset, length)),
    getStream: (key) => watch.seen('read', key, () => store.getStream(key)),
    head: (key) => watch.seen('read', key, () => store.head(key)),
    put: (key, body) => watch.seen('write', key, () => store.put(key, body)),
    putIf: (key, body, condition) =>
      // A condition that does not hold writes nothing, and so proves nothing.
      watch.seen('write', key, () => store.putIf(key, body, condition), isWritten),
    putStream: (key, body, limits) =>
      watch.seen('write', key, () => store.putStream(key, body, limits)),
    // A full disk still deletes.
    delete: (keys) =>
      watch.seen(
        'write',
        keys[0] ?? '',
        () => store.delete(keys),
        () => false
      ),
    async *list(prefix, from) {
      try {
        for await (const info of store.list(prefix, from)) yield info
        watch.worked('read', prefix)
      } catch (error) {
        if (isAppError(error, 'store_unavailable')) watch.failed('read', prefix, error)
        throw error
      }
    },
    async close() {
      watch.close()
      await store.close()
    }
  }
}
