// One command of a test run: its output goes on line by line, or is kept until it ends.
import { spawn } from 'node:child_process'
import { repositoryRoot } from '../setup/report.mjs'
import { findBrowser } from '../setup/system-packages.mjs'

/**
 * `show(text)` is called with whole lines: as they come, or with all of them at the end where
 * `isQuiet`.
 */
export function runCommand([file, ...args], { env, isQuiet, show, signal }) {
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
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop)
      // Workers that outlive it would go on writing into the run's folder.
      endGroup(child, 'SIGKILL')
      for (const rest of rests) if (rest() !== '') pass(`${rest()}\n`)
      if (kept.length > 0) show(kept.join(''))
      resolve(code ?? 1)
    })
  })
}

/** The command is the first of a process group of its own, with everything that it starts. */
function endGroup({ pid }, signal) {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

/**
 * Whole lines, so that the output of two commands is never mixed within one. Returns what has no
 * end of line yet.
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
 * The environment of the commands: what npm has put there is this run's business, not that of the
 * tests.
 */
export function commandEnvironment({ numbers, temporaryFolder }) {
  const own = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_'))
  const env = { ...numbers, ...Object.fromEntries(own), TMPDIR: temporaryFolder }
  const browser = findBrowser()
  if (browser !== undefined) env.CHROMIUM_PATH = browser
  if (process.stdout.isTTY && env.NO_COLOR === undefined) env.FORCE_COLOR ??= '1'
  return env
}
