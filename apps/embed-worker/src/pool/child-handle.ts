// Starts an inference child and watches its state: loaded, recently heard from, gone.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { appError, isErrorCode } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { ChildModel, FromChild, ToChild } from '../child-protocol.ts'
import { openStartedTasksFile, type StartedTasks } from '../started-tasks-file.ts'

export interface Child {
  readonly pid: number
  readonly model: ChildModel
  send(message: ToChild): void
  /** Receives the messages after `ready`. There is a single listener. */
  listen(listener: (message: FromChild) => void): void
  kill(): void
  /**
   * Resolves with the started tasks, when the process has ended and all of its messages were
   * delivered.
   */
  readonly gone: Promise<StartedTasks>
}
/** Resolves with a loaded child; rejects with the reason that the child gave. */
export type StartChild = () => Promise<Child>

/** The process ended before it was loaded, and gave no reason. */
export class EndedWhileLoading extends Error {}

export interface ChildStarterOptions {
  env: Record<string, string | undefined>
  /** Folder of the started-tasks files of the children. */
  touchDir: string
  /** Node arguments, e.g. `--import tsx`. */
  execArgv: readonly string[]
  logger: Logger
  loadTimeoutMs?: number
  /** Silence in milliseconds after which a child counts as hung. */
  hungAfterMs?: number
}

const entry = fileURLToPath(new URL('../child/child-main.ts', import.meta.url))
const listenEveryMs = 2_000

export function createChildStarter({
  env,
  touchDir,
  execArgv,
  logger,
  loadTimeoutMs = 180_000,
  hungAfterMs = 60_000
}: ChildStarterOptions): StartChild {
  return async () => {
    const startedTasksFile = openStartedTasksFile(touchDir)
    const forked = fork(entry, [], {
      env,
      execArgv: [...execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', startedTasksFile.fd]
    })
    const kill = (): void => void forked.kill('SIGKILL')
    // 'exit' may come before the last messages. Only both events together are the end.
    const ended = new Promise<void>((resolve) => forked.once('exit', () => resolve()))
    const silent = new Promise<void>((resolve) => forked.once('disconnect', () => resolve()))
    const gone = Promise.all([ended, silent]).then(() => {
      const touches = startedTasksFile.read()
      startedTasksFile.close()
      return touches
    })
    forked.on('error', (error) =>
      logger.warn({ err: error, child: forked.pid }, 'inference process reported an error')
    )

    let listener: ((message: FromChild) => void) | undefined
    let unheardTicks = 0
    // Counts ticks of our own loop, so that a pause of the whole machine does not look like a hang.
    const watch = setInterval(() => {
      unheardTicks += 1
      if (unheardTicks * listenEveryMs < (listener ? hungAfterMs : loadTimeoutMs)) return
      logger.error({ child: forked.pid }, 'inference process hangs and is killed')
      kill()
    }, listenEveryMs)
    void gone.then(() => clearInterval(watch))

    const loaded = waitUntilLoaded(gone)
    forked.on('message', (messages: FromChild[]) => {
      unheardTicks = 0
      for (const message of messages) (listener ?? loaded.hear)(message)
    })
    const model = await loaded.model
    return {
      pid: forked.pid!,
      model,
      kill,
      gone,
      listen: (own) => void (listener = own),
      // A failed send means that the child is ending. `gone` then ends the child's tasks.
      send: (message) => void (forked.connected && forked.send(message, () => {}))
    }
  }
}

function waitUntilLoaded(gone: Promise<unknown>) {
  let hear!: (message: FromChild) => void
  const model = new Promise<ChildModel>((resolve, reject) => {
    hear = (message) => {
      if (message.type === 'ready') resolve(message.model)
      if (message.type === 'fatal')
        reject(appError(isErrorCode(message.code) ? message.code : 'internal', message.message))
    }
    void gone.then(() => reject(new EndedWhileLoading('the inference process ended while loading')))
  })
  return { hear, model }
}
