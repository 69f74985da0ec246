// A simulated installation: the store, its processes, the knowledge of the oracle about each
// collection id, and the trace.
import type { Catalog } from '@likeness/engine/catalog-contract'
import { createCatalog, type Protocol, type SegmentFiles } from '@likeness/engine/testing/internals'
import { catalogKey } from '@likeness/shared/contract/keys'
import { isAppError, messageOf } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { ObjectTable, type TableEntry } from './object-table.ts'
import { createPlainSegmentFiles } from './plain-segment-files.ts'
import { createRandom, type Random } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { drawSettings, type Settings } from './settings.ts'
import { SimProcess } from './sim-process.ts'
import { createSimulatedStore, type Faults, type StoreWorld } from './simulated-store.ts'
import { Truth } from './truth.ts'
import { Violation } from './violation.ts'

/** A collection that its owner wants to hand over. */
interface Offer {
  from: string
  /** The worker that reads it ahead. */
  to: string | undefined
  isReady: boolean
}

/** A process with its connection to the store, and the engine parts that every process has. */
export interface Machine {
  process: SimProcess
  store: ObjectStore
  files: SegmentFiles
  catalog: Catalog
}

const contentKey = /^c\/([^/]+)\/(CURRENT$|log\/(\d+)$)?/

function drawFaults(random: Random): Faults {
  const level = random.pick([0, 0.02, 0.06, 0.15])
  return {
    on: true,
    refuse: level * random.next(),
    reset: level * random.next(),
    late: level * random.next(),
    lateMs: random.pick([50, 2_000, 8_000]),
    slow: level,
    slowMs: random.pick([100, 1_500])
  }
}

export type Happening =
  | 'commits'
  | 'folds'
  | 'folded'
  | 'deletedHistory'
  | 'strays'
  | 'lostBases'
  | 'merges'
  | 'sealedMerges'
  | 'movedLists'
  | 'grownGraphs'
  | 'mergeFailures'
  | 'collections'
  | 'takeovers'
  | 'handOvers'
  | 'stalls'
  | 'deaths'
  | 'lateWrites'
  | 'unanswered'
  | 'resent'
  | 'drops'
  | 'relabels'
  | 'sweeps'
  | 'snapshots'
  | 'cancels'
  | 'cancelled'
  | 'restores'
  | 'compactions'
  | 'changedSettings'
  | 'changedEmbeddings'
  | 'keptEmbeddings'
  | 'sharedBatches'
  | 'given'
  | 'damagedGiven'
  | 'versionsRead'
  | 'versionsMissed'

export class World implements StoreWorld {
  readonly seed: number
  readonly protocol: Protocol
  readonly random: Random
  readonly scheduler = new Scheduler()
  readonly table: ObjectTable
  readonly faults: Faults
  readonly settings: Settings
  readonly truths = new Map<string, Truth>()
  /** Leases by collection id: the index worker that holds the lease, and the end of the lease. */
  readonly leases = new Map<string, { holder: string; untilMs: number }>()
  /** Hand-overs by collection id. */
  readonly offers = new Map<string, Offer>()
  /** Batch keys on their way to the writer, by collection id. */
  readonly notifications = new Map<string, string[]>()
  readonly collection = 'marks'
  /** Collection id that was created last. */
  live = ''
  steps = 0
  /** True: loops end and start no new work. */
  draining = false
  failure: Violation | undefined
  /** Number of times that each interesting event happened. */
  readonly happened: Record<Happening, number> = {
    commits: 0,
    folds: 0,
    folded: 0,
    deletedHistory: 0,
    strays: 0,
    lostBases: 0,
    merges: 0,
    sealedMerges: 0,
    movedLists: 0,
    grownGraphs: 0,
    mergeFailures: 0,
    collections: 0,
    takeovers: 0,
    handOvers: 0,
    stalls: 0,
    deaths: 0,
    lateWrites: 0,
    unanswered: 0,
    resent: 0,
    drops: 0,
    relabels: 0,
    sweeps: 0,
    snapshots: 0,
    cancels: 0,
    cancelled: 0,
    restores: 0,
    compactions: 0,
    changedSettings: 0,
    changedEmbeddings: 0,
    keptEmbeddings: 0,
    sharedBatches: 0,
    given: 0,
    damagedGiven: 0,
    versionsRead: 0,
    versionsMissed: 0
  }
  private traceHash = 0x811c9dc5
  private readonly onTrace: ((line: string) => void) | undefined

  constructor({
    seed,
    protocol,
    onTrace
  }: { seed: number; protocol: Protocol; onTrace?: (line: string) => void }) {
    this.seed = seed
    this.protocol = protocol
    this.onTrace = onTrace
    this.random = createRandom(seed)
    this.faults = drawFaults(this.random)
    this.settings = drawSettings(this.random)
    this.table = new ObjectTable((key, entry) => this.changed(key, entry), this.random.chance(0.5))
  }

  trace(line: string): void {
    let hash = this.traceHash ^ (this.scheduler.nowMs & 0xffffffff)
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193)
    this.traceHash = hash
    this.onTrace?.(`${(this.scheduler.nowMs - 1_800_000_000_000).toFixed(1).padStart(9)} ${line}`)
  }

  /** Equal for equal runs. */
  get traceDigest(): string {
    return `${(this.traceHash >>> 0).toString(16)}/${this.scheduler.count}`
  }

  fail(error: unknown): void {
    this.failure ??=
      error instanceof Violation
        ? error
        : new Violation(
            'clean-errors',
            error instanceof Error ? (error.stack ?? error.message) : messageOf(error)
          )
  }

  /** Runs work in the background. A rejection of this work fails the simulation. */
  spawn(work: Promise<void>): void {
    work.catch((error: unknown) => this.fail(error))
  }

  truthOf(collectionId: string): Truth {
    let truth = this.truths.get(collectionId)
    if (truth === undefined) this.truths.set(collectionId, (truth = new Truth(collectionId)))
    return truth
  }

  startMachine(name: string): Machine {
    const process = new SimProcess({
      name,
      scheduler: this.scheduler,
      random: this.random,
      skewMs: this.random.between(-500, 500),
      onStop: (what) => this.happened[what]++
    })
    const store = createSimulatedStore(this, process)
    return {
      process,
      store,
      files: createPlainSegmentFiles(store),
      catalog: createCatalog({ store, clock: process.clock, newId: process.newId })
    }
  }

  private changed(key: string, entry: TableEntry | undefined): void {
    if (key === catalogKey || !key.startsWith('c/')) return
    const [, collectionId, name, slot] = contentKey.exec(key)!
    const truth = this.truthOf(collectionId!)
    if (entry === undefined) truth.fileDeleted(key)
    else if (name === 'CURRENT') truth.currentMoved(entry.body, this.table)
    else if (slot !== undefined && !truth.slotLanded(Number(slot), entry.body))
      this.happened.strays++
  }
}

/** Repeats the work at the pace of the loop until the world drains or the process is gone. */
export async function loop(
  world: World,
  { process }: Machine,
  pauseMs: readonly [number, number],
  act: () => Promise<void>
): Promise<void> {
  while (!world.draining && !process.dead) {
    await process.clock.sleep(world.random.between(...pauseMs))
    if (world.draining) return
    world.steps++
    await act()
  }
}

/** Returns the result of `work`, or undefined when the store did not answer. */
export async function unlessUnavailable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isAppError(error, 'store_unavailable')) return undefined
    throw error
  }
}
