// Runs a command of a test run. The output is passed on line by line, or kept until the end.
import { spawn } from 'node:child_process'
import { repositoryRoot } from '../setup/report.mjs'
import { findBrowser } from '../setup/system-packages.mjs'

/** Milliseconds that a command of a run may take. A hanging test would otherwise hide all others. */
const mostMs = 40 * 60_000

/**
 * `show(text)` gets whole lines: at once, or all of them at the end where `isQuiet`. A command that
 * takes longer than `limitMs` is killed, and says so.
 */
export function runCommand([file, ...args], { env, isQuiet, show, signal, limitMs = mostMs }) {
  const child = spawn(file, args, {
    cwd: repositoryRoot,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true
  })
  const kept = []
  const pass = isQuiet ? (text) => kept.push(text) : show
  const rests = [child.stdout, child.stderr].map((stream) => passLines(stream, pass))
  const stop = () => endGroup(child, 'SIGTERM')
  signal.addEventListener('abort', stop)
  // SIGKILL: a process whose event loop is stuck does not end by SIGTERM.
  const limit = setTimeout(() => {
    pass(`\nkilled: it did not end within ${limitMs / 1000} s\n`)
    endGroup(child, 'SIGKILL')
  }, limitMs)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    // Workers that outlive the command would go on writing into the run's folder, and a program
    // that holds their output would keep the command from closing.
    child.on('exit', () => endGroup(child, 'SIGKILL'))
    child.on('close', (code) => {
      clearTimeout(limit)
      signal.removeEventListener('abort', stop)
      for (const rest of rests) if (rest() !== '') pass(`${rest()}\n`)
      if (kept.length > 0) show(kept.join(''))
      resolve(code ?? 1)
    })
  })
}

/**
 * Signals the process group. The command leads a separate group, with everything that it starts.
 */
function endGroup({ pid }, signal) {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/**
 * Passes whole lines, so that the outputs of two commands never mix within a line. Returns the text
 * without an end of line yet.
 */
function passLines(stream, pass) {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text) => {
    const end = text.lastIndexOf('\n') + 1
    if (end === 0) rest += text
    else {
      pass(rest + text.slice(0, end))
      rest = text.slice(end)
    }
  })
  return () => rest
}

/**
 * Environment of the commands, without npm's variables: those belong to this run, not to the tests.
 */
export function commandEnvironment({ numbers, temporaryFolder }) {
  const own = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'))
  const env = { ...numbers, ...Object.fromEntries(own), TMPDIR: temporaryFolder }
  const browser = findBrowser()
  if (browser !== undefined) env.CHROMIUM_PATH = browser
  if (process.stdout.isTTY && env.NO_COLOR === undefined) env.FORCE_COLOR ??= '1'
  return env
}
