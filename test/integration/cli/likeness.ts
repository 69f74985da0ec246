// Runs the command line program like a user, in a separate folder per test, with the smallest
// model.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeTinyModel } from '@likeness/vision'
import { repositoryRoot } from '../../../apps/cli/src/stack/app-process.ts'
import { pictureOf } from '../../support/pictures.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

export interface Finished {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** Parses the last line of stdout. */
  json: () => Record<string, unknown>
}
export interface Running {
  child: ChildProcess
  finished: Promise<Finished>
  stdout: () => string
}

/** Configuration of a PaddleClas user, without any change. */
export const unmodifiedYaml = `IndexProcess:
  index_method: "HNSW32"
  index_dir: "./product_gallery/index"
  image_root: "./product_images/"
  data_file: "./product_data.txt"
  dist_type: "IP"
  embedding_size: 512
  return_k: 5
  score_thres: 0.7
`

export type Home = Awaited<ReturnType<typeof openHome>>

export async function openHome({ model = 'tiny' }: { model?: 'tiny' | 'built-in' } = {}) {
  const dir = temporaryFolder('cli')
  if (model === 'tiny') await writeTinyModel(join(dir, 'model'))
  const { PATH, HOME = '/tmp', TMPDIR = '/tmp', NODE_EXTRA_CA_CERTS } = process.env
  const env = {
    PATH,
    HOME,
    TMPDIR,
    LIKENESS_HOME: join(dir, 'home'),
    ...(model === 'tiny' && { MODEL_DIR: join(dir, 'model') }),
    LANG: 'C.UTF-8',
    ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS })
  }

  function start(folder: string, args: readonly string[]): Running {
    // Detached, so the program has a process group. A kill of the group also ends its children.
    const child = spawn(
      process.execPath,
      [
        '--import',
        import.meta.resolve('tsx'),
        join(repositoryRoot, 'apps/cli/src/main.ts'),
        ...args
      ],
      { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }
    )
    let [stdout, stderr] = ['', '']
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const finished = new Promise<Finished>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) =>
        resolve({
          code,
          signal,
          stdout,
          stderr,
          json: () => JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
        })
      )
    })
    return { child, finished, stdout: () => stdout }
  }

  return {
    dir,
    start,
    run: (folder: string, ...args: string[]): Promise<Finished> => start(folder, args).finished,
    /** Creates a new folder with the given text files, and pictures by seed. */
    async folder(
      name: string,
      files: Record<string, string>,
      pictures: Record<string, number> = {}
    ): Promise<string> {
      const folder = join(dir, name)
      for (const [path, text] of Object.entries(files)) await write(join(folder, path), text)
      for (const [path, seed] of Object.entries(pictures))
        await write(join(folder, path), await pictureOf(seed))
      return folder
    }
  }
}

async function write(path: string, body: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, body)
}
