// A supervised child process: started, watched, restarted with growing pauses after a death,
// stopped within a deadline.
import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '@likeness/shared/process/logger'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'
import { UserError } from '../user-error.ts'

export interface ReadyReport {
  /** Address, for processes that listen. */
  url?: string
}
export interface Launched {
  child: ChildProcess
  /** Resolves when the child can be used; may stay pending when the child dies. */
  ready: Promise<ReadyReport>
  /** The last lines of the child, for the error message. */
  lastLines: (count: number) => Promise<string[]>
}
export interface ManagedProcess {
  readonly name: string
  /** Process id while the child runs. */
  pid(): number | undefined
  /** Rejects with the child's last lines when the child dies or is not ready in time. */
  start(): Promise<ReadyReport>
  /** Resolves at once while the child is ready, else when it is ready again. */
  whenReady(): Promise<ReadyReport>
  /** Sends SIGKILL and resolves after the exit; supervision then restarts the child. */
  kill(): Promise<void>
  /** Sends SIGTERM, and SIGKILL after the deadline; no restart. Resolves after the exit. */
  stop(deadlineMs: number): Promise<void>
}

const linesShown = 15

interface Running {
  child: ChildProcess
  exited: Promise<string>
}
export interface ManagedProcessDeps {
  name: string
  launch: () => Launched
  logger: Logger
  startTimeoutMs: number
  firstPauseMs?: number
  longestPauseMs?: number
  /** Running time after which the next pause is the first pause again. */
  steadyMs?: number
}

interface Deferred {
  promise: Promise<ReadyReport>
  resolve: (report: ReadyReport) => void
}
function createDeferred(): Deferred {
  let resolve: Deferred['resolve'] | undefined
  const promise = new Promise<ReadyReport>((settle) => (resolve = settle))
  return { promise, resolve: (report) => resolve?.(report) }
}

function describeExit(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`)
    )
  })
}

export function createManagedProcess(deps: ManagedProcessDeps): ManagedProcess {
  const {
    name,
    launch,
    logger,
    startTimeoutMs,
    firstPauseMs = 200,
    longestPauseMs = 10_000,
    steadyMs = 30_000
  } = deps
  let running: Running | undefined
  let abandon = new AbortController()
  let up = createDeferred()
  let pauseMs = firstPauseMs

  async function failed(what: string, lastLines: Launched['lastLines']): Promise<never> {
    const lines = (await lastLines(linesShown)).join('\n')
    const failure = findMachineFailure(new Error(lines))
    throw new UserError(`${name} ${what}${failure ? `: ${failure.text}` : ''}\n${lines}`)
  }

  async function launchOnce(): Promise<ReadyReport> {
    const { child, ready, lastLines } = launch()
    const mine: Running = { child, exited: describeExit(child) }
    running = mine
    const timeout = new AbortController()
    const report = await Promise.race([
      ready,
      mine.exited.then((how) => failed(`did not start (${how})`, lastLines)),
      pause(startTimeoutMs, undefined, { signal: timeout.signal, ref: false }).then(() => {
        child.kill('SIGKILL')
        return failed(`was not ready within ${startTimeoutMs / 1000} s`, lastLines)
      })
    ]).finally(() => timeout.abort())
    watch(mine, Date.now())
    return report
  }

  function watch(mine: Running, sinceMs: number): void {
    void mine.exited.then((how) => {
      if (abandon.signal.aborted) return
      logger.warn({ process: name, how }, 'a process died and is started again')
      up = createDeferred()
      if (Date.now() - sinceMs > steadyMs) pauseMs = firstPauseMs
      void revive(abandon.signal)
    })
  }

  async function revive(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await pause(pauseMs, undefined, { signal })
        pauseMs = Math.min(pauseMs * 2, longestPauseMs)
        up.resolve(await launchOnce())
        return
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ process: name, err: error }, 'a process could not be started again')
      }
    }
  }

  return {
    name,
    pid: () =>
      running?.child.exitCode === null && running.child.signalCode === null
        ? running.child.pid
        : undefined,
    async start() {
      abandon = new AbortController()
      up = createDeferred()
      const report = await launchOnce()
      up.resolve(report)
      return report
    },
    whenReady: () => up.promise,
    async kill() {
      running?.child.kill('SIGKILL')
      await running?.exited
    },
    async stop(deadlineMs) {
      abandon.abort()
      if (running === undefined) return
      const { child, exited } = running
      child.kill('SIGTERM')
      const force = setTimeout(() => {
        logger.warn({ process: name, deadlineMs }, 'a process did not stop in time and is killed')
        child.kill('SIGKILL')
      }, deadlineMs)
      await exited
      clearTimeout(force)
      running = undefined
    }
  }
}
