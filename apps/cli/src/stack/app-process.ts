// An app as a child: forked with tsx, output in a log, ready when the app reports it over the IPC
// channel.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LogStream } from '@likeness/shared/process/log-stream'
import type { Launched, ReadyReport } from './managed-process.ts'
import { withPrivateFiles } from './private-files.ts'
import { followOutput } from './process-log.ts'

export const appNames = ['index-worker', 'embed-worker', 'api'] as const
export type AppName = (typeof appNames)[number]

export const repositoryRoot = fileURLToPath(new URL('../../../..', import.meta.url))
const entryOf = (app: AppName): string => `${repositoryRoot}apps/${app}/src/main.ts`

const isReady = (message: unknown): message is { ready: true; url?: string } =>
  typeof message === 'object' && message !== null && 'ready' in message && message.ready === true

export interface AppLaunch {
  app: AppName
  /** The whole environment: the child inherits no variable. */
  env: Record<string, string>
  log: Pick<LogStream, 'write'>
  /** Another program than the app's own, for tests of the supervision. */
  entry?: string
}

export function launchApp({ app, env, log, entry = entryOf(app) }: AppLaunch): Launched {
  // A separate session: Ctrl-C in a terminal reaches only the parent, which then stops everything
  // in order.
  const child = withPrivateFiles(() =>
    fork(entry, [], {
      cwd: repositoryRoot,
      env,
      execArgv: ['--import', import.meta.resolve('tsx')],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true
    })
  )
  const lastLines = followOutput(child, log)
  const ready = new Promise<ReadyReport>((resolve) => {
    child.on('message', (message) => {
      if (isReady(message)) resolve({ url: message.url })
    })
  })
  return { child, ready, lastLines }
}
