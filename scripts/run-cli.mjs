// Runs the command line program in a separate session: a Ctrl-C reaches the program once, however
// many parents pass the signal on.
import { spawn } from 'node:child_process'
import { repositoryRoot, SetupError } from './setup/report.mjs'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const sameSignalMs = 500
const exitCodeOfSignal = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGKILL: 137 }

/** Resolves with the exit code of `likeness <args>`. Relative paths in `args` start at `folder`. */
export function runCli(args, { folder, prepare }) {
  const child = startProgram(args, folder)
  passSignals(child)
  // This process runs `prepare`, because only this process has the terminal on which sudo may ask
  // for a password.
  child.on('message', () => void answer(child, prepare))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? exitCodeOfSignal[signal] ?? 1))
  })
}

function startProgram(args, folder) {
  // The IPC channel tells the program that this process is gone, after any kind of end.
  return spawn(process.execPath, ['--import', 'tsx', 'apps/cli/src/main.ts', ...args], {
    cwd: repositoryRoot,
    env: { ...process.env, LIKENESS_CALLER_FOLDER: folder },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true
  })
}

/** `problem`: a step that the user has to do. */
async function answer(child, prepare) {
  let problem = null
  try {
    await prepare()
  } catch (error) {
    problem = error instanceof SetupError ? error.message : String(error?.stack ?? error)
  }
  if (child.connected) child.send({ prepared: problem === null, problem })
}

function passSignals(child) {
  const lastMs = {}
  for (const signal of signals) {
    process.on(signal, () => {
      const isRepeat = Date.now() - (lastMs[signal] ?? 0) < sameSignalMs
      lastMs[signal] = Date.now()
      if (!isRepeat) child.kill(signal)
    })
  }
}
