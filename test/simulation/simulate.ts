// Runs one seed: some seconds of disturbed work by every kind of process, then quiescence. Returns
// the findings, and a digest of all events.
import { type Protocol, realProtocol } from '@likeness/engine/testing/internals'
import { takeNoTurns } from '@likeness/shared/process/turns'
import { type ApiProcess, startApiProcess } from './api-process.ts'
import { type ClientDeps, runClient } from './client.ts'
import { createCollection, type Fleet, runChaos, runDropper } from './disturbances.ts'
import { runEmbedWorker } from './embed-worker.ts'
import { runIndexWorker } from './index-worker.ts'
import { quiesce } from './quiescence.ts'
import { runJobWatcher, runReader, type SeenJobs } from './readers.ts'
import { type Invariant, Violation } from './violation.ts'
import { type Happening, type Machine, World } from './world.ts'

export const stepsPerSeed = 200
/** Longer than any late write and any stall. */
const settleMs = 30_000
/** Limit of events. A simulation with more events does not end. */
const maxEvents = 200_000

export interface Outcome {
  seed: number
  violation: { invariant: Invariant; message: string } | undefined
  steps: number
  events: number
  happened: Record<Happening, number>
  digest: string
}

export interface SimulationOptions {
  seed: number
  protocol?: Protocol
  /** Receives every event, for the analysis of a failed seed. */
  onTrace?: (line: string) => void
}

function startFleet<M extends Machine>(
  count: number,
  start: (name: string) => M,
  kind: string
): Fleet & { machines: M[] } {
  let started = 0
  const next = () => start(`${kind}${started++}`)
  const machines = Array.from({ length: count }, next)
  return { machines, replace: (index) => void (machines[index] = next()) }
}

/** Starts all processes. Processes of the fleets may be replaced. */
async function work(world: World, seen: SeenJobs): Promise<ClientDeps> {
  const { settings } = world
  const running = (run: (world: World, machine: Machine) => Promise<void>) => (name: string) => {
    const machine = world.startMachine(name)
    world.spawn(run(world, machine))
    return machine
  }
  await createCollection(world, world.startMachine('setup'))
  const apis = startFleet<ApiProcess>(settings.apis, (name) => startApiProcess(world, name), 'api')
  const indexers = startFleet(settings.indexWorkers, running(runIndexWorker), 'index')
  const embedders = startFleet(2, running(runEmbedWorker), 'embed')
  let number = 0
  const deps: ClientDeps = {
    world,
    apis: apis.machines,
    acknowledgedJobs: [],
    nextNumber: () => ++number
  }
  for (const name of ['client0', 'client1', 'client2'])
    world.spawn(runClient(deps, world.startMachine(name)))
  running(runReader)('reader')
  world.spawn(runJobWatcher(deps, world.startMachine('watcher'), seen))
  world.spawn(runChaos(world, world.startMachine('chaos'), [indexers, indexers, embedders, apis]))
  if (settings.drops) running(runDropper)('dropper')
  return deps
}

async function runUntil(world: World, isOver: () => boolean): Promise<void> {
  const goesOn = await world.scheduler.run(
    () => world.failure !== undefined || world.scheduler.count > maxEvents || isOver()
  )
  if (world.failure !== undefined) throw world.failure
  if (!goesOn || world.scheduler.count > maxEvents)
    throw new Violation(
      'progress',
      goesOn ? 'the simulation does not end' : 'nothing can happen any more'
    )
}

async function runPhases(world: World): Promise<void> {
  const seen: SeenJobs = new Map()
  let deps: ClientDeps | undefined
  world.spawn(work(world, seen).then((started) => void (deps = started)))
  await runUntil(world, () => world.steps >= stepsPerSeed)
  world.draining = true
  world.faults.on = false
  const settledAtMs = world.scheduler.nowMs + settleMs
  let settled = false
  world.scheduler.at(settleMs, () => (settled = true))
  await runUntil(world, () => settled || world.scheduler.nowMs >= settledAtMs)
  let over = false
  world.spawn(quiesce(deps!, world.startMachine('last'), seen).then(() => void (over = true)))
  await runUntil(world, () => over)
}

takeNoTurns()

export async function simulate({
  seed,
  protocol = realProtocol,
  onTrace
}: SimulationOptions): Promise<Outcome> {
  const world = new World({ seed, protocol, onTrace })
  try {
    await runPhases(world)
  } catch (error) {
    world.fail(error)
  }
  const { failure, steps, scheduler, traceDigest } = world
  world.happened.commits = [...world.truths.values()].reduce(
    (sum, { current }) => sum + (current?.seq ?? 0),
    0
  )
  return {
    seed,
    violation: failure && { invariant: failure.invariant, message: failure.message },
    steps,
    events: scheduler.count,
    happened: world.happened,
    digest: traceDigest
  }
}
