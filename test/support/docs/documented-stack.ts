// Runs demo and stack like in the README, in a separate folder of the test. The files of the user
// are not read and not changed.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { drawGallery } from '../../../apps/cli/src/demo/draw-gallery.ts'
import { makeQueries } from '../../../apps/cli/src/demo/make-queries.ts'
import { findFreePort, isPortFree } from '../../../apps/cli/src/stack/free-port.ts'
import { repositoryRoot } from './documents.ts'

const documentedPort = 8080
/** Limit for drawing and importing the gallery, which takes half a minute on two quiet cores. */
const demoDeadlineMs = 240_000
const startDeadlineMs = 120_000
const stopDeadlineMs = 60_000
const pollMs = 200
const scenes = 3

export type DocumentedStack = Awaited<ReturnType<typeof startDocumentedStack>>
type Environment = Record<string, string>

/** Returns the environment of a new shell. The variables of the test run are left out. */
function environmentIn(folder: string): Environment {
  const { PATH = '', NODE_EXTRA_CA_CERTS } = process.env
  const own = {
    HOME: join(folder, 'home'),
    TMPDIR: join(folder, 'tmp'),
    LIKENESS_HOME: join(folder, 'likeness')
  }
  for (const path of Object.values(own)) mkdirSync(path)
  return {
    ...own,
    PATH: `${join(repositoryRoot, 'bin')}:${PATH}`,
    LANG: 'C.UTF-8',
    npm_config_update_notifier: 'false',
    ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS })
  }
}

interface Running {
  child: ChildProcess
  /** Resolves with the exit code or the signal. */
  ended: Promise<number | string>
  log: () => string
}

/** Sends a signal to the whole group. A group that has ended is no error. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function startNpm(args: readonly string[], env: Environment, logFile: string): Running {
  const output = openSync(logFile, 'w')
  // A separate process group, like in a terminal. A signal to the group is the same as Ctrl-C.
  const child = spawn('npm', args, {
    cwd: repositoryRoot,
    env,
    detached: true,
    stdio: ['ignore', output, output]
  })
  closeSync(output)
  // A test process that ends early also ends the processes that it started.
  const end = (): void => signal(child, 'SIGTERM')
  process.on('exit', end)
  child.on('close', () => process.off('exit', end))
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? String(signal)))
  })
  return { child, ended, log: () => readFileSync(logFile, 'utf8') }
}

/** Resolves with undefined after the deadline. */
const within = <T>(ms: number, result: Promise<T>): Promise<T | undefined> =>
  Promise.race([result, pause(ms, undefined, { ref: false })])

/** Runs `npm run demo` for one picture. The demo draws and imports its whole gallery. */
async function runDemo(folder: string, env: Environment): Promise<string> {
  const query = ['--query', 'models/likeness-nano/parity.png', '--out', join(folder, 'sheet')]
  const demo = startNpm(['run', 'demo', '--', ...query], env, join(folder, 'demo.log'))
  const code = await within(demoDeadlineMs, demo.ended)
  if (code === undefined) signal(demo.child, 'SIGTERM')
  if (code !== 0) throw new Error(`npm run demo: ${code ?? 'too slow'}\n${demo.log()}`)
  return demo.log()
}

/** Draws some scenes of the demo in the folder where the whole demo keeps all scenes. */
async function drawScenes(folder: string): Promise<void> {
  const gallery = await drawGallery({ folder: join(folder, 'brand-marks') })
  await makeQueries({ ...gallery, cacheDir: join(folder, 'scenes'), count: scenes })
}

async function untilReady(start: Running, port: number): Promise<void> {
  const endMs = Date.now() + startDeadlineMs
  while (Date.now() < endMs) {
    const code = await within(pollMs, start.ended)
    if (code !== undefined) break
    if (start.log().includes('Likeness is at') && (await isReady(port))) return
  }
  throw new Error(`npm start did not come up\n${start.log()}`)
}

async function isReady(port: number): Promise<boolean> {
  const answer = await fetch(`http://localhost:${port}/readyz`).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.ok === true
}

/** Returns the command lines of processes that have the folder in their environment. */
function processesOf(folder: string): string[] {
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8')
    } catch {
      return ''
    }
  }
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && read(pid, 'environ').includes(folder))
    .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`)
}

/** Stops npm and waits for the processes that npm has started. npm itself ends at once. */
async function stop({ child, log }: Running, folder: string): Promise<void> {
  signal(child, 'SIGTERM')
  const endMs = Date.now() + stopDeadlineMs
  while (processesOf(folder).length > 0) {
    if (Date.now() > endMs)
      throw new Error(`still there: ${processesOf(folder).join('\n')}\n${log()}`)
    await pause(pollMs)
  }
}

/**
 * Runs the demo and the start command of the README, over one gallery. Throws with their output.
 */
export async function startDocumentedStack(folder: string) {
  const env = environmentIn(folder)
  const home = env.LIKENESS_HOME!
  const demoOutput = await runDemo(folder, env)
  await drawScenes(join(home, 'demo'))
  const port = (await isPortFree(documentedPort)) ? documentedPort : await findFreePort()
  const options = port === documentedPort ? [] : ['--', '--port', String(port)]
  const start = startNpm(['start', ...options], env, join(folder, 'start.log'))
  try {
    await untilReady(start, port)
  } catch (error) {
    await stop(start, folder).catch(() => undefined)
    throw error
  }
  return {
    env,
    demoOutput,
    startOutput: start.log(),
    /** Changes a documented command to this port and this data folder. */
    rewrite: (text: string): string =>
      text
        .replaceAll(`localhost:${documentedPort}`, `localhost:${port}`)
        .replaceAll('$PWD/.likeness/', `${home}/`)
        .replaceAll('.likeness/', `${home}/`),
    /** Rejects when a process of the stack is still running after the stop. */
    stop: () => stop(start, folder)
  }
}
