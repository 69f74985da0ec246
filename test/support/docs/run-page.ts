// Runs the commands of a page in one shell, like a reader. The first failed command ends the page,
// and is reported with its output.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DocumentedCommand } from './code-blocks.ts'
import { repositoryRoot } from './documents.ts'

export interface PageRun {
  commands: readonly DocumentedCommand[]
  /** Changes the text of each command before the run. */
  rewrite: (text: string) => string
  env: Record<string, string>
  /** Folder for the script and the output. */
  folder: string
  deadlineMs: number
}

const maxOutput = 4000

/** Mark before the output of each command, with the number of the command. */
const markPattern = /\u001e(\d+)\n/

/**
 * Shell functions before the commands. An answer of 400 or more ends the page from any place of
 * curl, also in a condition. A reader that closes a pipe early is no failure of curl.
 */
const preamble = `set -euo pipefail
curl() {
  local code=0
  command curl --fail-with-body -w '%{stderr}HTTP %{http_code}\\n' "$@" || code=$?
  if [ "$code" = 0 ] || { [ "$code" = 23 ] && [ -p /dev/stdout ]; }; then return 0; fi
  if [ "$code" = 22 ]; then echo "curl $*: the answer is a problem" >&2
  else echo "curl $*: exit code $code" >&2; fi
  kill -TERM $$
  return "$code"
}
`

const scriptOf = ({ commands, rewrite }: PageRun): string =>
  preamble + commands.map(({ text }, at) => `printf '\\036${at}\\n'\n${rewrite(text)}\n`).join('')

/** Resolves with the problem as text for the reader; undefined when every command succeeded. */
export async function runPage(run: PageRun): Promise<string | undefined> {
  const { commands, env, folder, deadlineMs } = run
  const name = commands[0]!.file.replaceAll('/', '-')
  const [script, outputFile] = [join(folder, `${name}.sh`), join(folder, `${name}.out`)]
  writeFileSync(script, scriptOf(run))
  const output = openSync(outputFile, 'w')
  const child = spawn('bash', [script], {
    cwd: repositoryRoot,
    env,
    detached: true,
    stdio: ['ignore', output, output]
  })
  closeSync(output)
  const ended = await endOf(child, deadlineMs)
  return ended === undefined ? undefined : describe(ended, readFileSync(outputFile, 'utf8'), run)
}

/** Waits for the end and kills the whole group at the deadline. undefined: exit code 0. */
function endOf(child: ChildProcess, deadlineMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      process.kill(-child.pid!, 'SIGKILL')
    }, deadlineMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (isLate) resolve(`not done within ${deadlineMs / 1000} s`)
      else resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`)
    })
  })
}

function describe(ended: string, text: string, { commands }: PageRun): string {
  const parts = text.split(markPattern)
  const [at, output] = [Number(parts.at(-2)), parts.at(-1)!]
  const { file, line, text: command } = commands[at]!
  return `${file}:${line} ${ended}\n$ ${command}\n${output.slice(-maxOutput)}`
}
