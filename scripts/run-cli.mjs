// Runs the command line program in its own session: one Ctrl-C reaches it once, however many parents pass it on.
import { spawn } from 'node:child_process'
import { repositoryRoot } from './setup/report.mjs'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const sameSignalMs = 500
const exitCodeOfSignal = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGKILL: 137 }

/** Resolves with the exit code of `likeness <args>`. Relative paths in args are those of the caller's folder. */
export function runCli(args) {
  // The IPC channel tells the program when this process is gone, however it went.
  const child = spawn(process.execPath, ['--import', 'tsx', 'apps/cli/src/main.ts', ...args], {
    cwd: repositoryRoot,
    env: { ...process.env, LIKENESS_CALLER_FOLDER: process.env.INIT_CWD ?? process.cwd() },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true
  })
  const lastMs = {}
  for (const signal of signals) {
    process.on(signal, () => {
      const isRepeat = Date.now() - (lastMs[signal] ?? 0) < sameSignalMs
      lastMs[signal] = Date.now()
      if (!isRepeat) child.kill(signal)
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? exitCodeOfSignal[signal] ?? 1))
  })
}
