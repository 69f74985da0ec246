// The real Faiss in Python, where available. FAISS_PYTHON names the interpreter; the default is
// python3.
import { spawnSync } from 'node:child_process'

const python = process.env.FAISS_PYTHON ?? 'python3'

/**
 * Returns the version of Faiss. Without Faiss, prints the reason for skipping the tests with Python
 * and returns undefined.
 */
export function findPythonFaiss(): string | undefined {
  const { status, stdout } = spawnSync(
    python,
    ['-c', 'import faiss, numpy; print(faiss.__version__)'],
    { encoding: 'utf8' }
  )
  if (status === 0) return stdout.trim()
  console.log(
    `NOT RUN: ${python} has no faiss; set FAISS_PYTHON to a Python with faiss-cpu to compare with the real one`
  )
  return undefined
}

/** Text for the name of a test that is skipped without Python Faiss. */
export const whyNoPython = (version: string | undefined): string =>
  version === undefined ? ` (NOT RUN: ${python} has no faiss, see FAISS_PYTHON)` : ''

/** Runs a script. `args` are its argv. The last line of output is JSON. */
export function runPython<T>(script: string, args: string[]): T {
  const { status, stdout, stderr } = spawnSync(python, ['-c', script, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }
  })
  if (status !== 0) throw new Error(`python ended with ${status}: ${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T
}
