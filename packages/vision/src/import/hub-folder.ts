// Finds a model in a download of a model hub, as it lies on disk.
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { appError } from '@likeness/shared/errors'

/** Files of a model that sees pictures, in the order in which they are looked for. */
const usual = [
  'onnx/vision_model.onnx',
  'onnx/model.onnx',
  'visual/model.onnx',
  'vision_model.onnx',
  'model.onnx'
]
/** Levels below a folder in which other files are looked for. */
const mostDepth = 2
/** Files named in a message. */
const mostNamed = 30
/** Entries of a folder that are looked at. */
const mostEntries = 10_000

export interface FoundModel {
  onnxPath: string
  /** Folders that may hold files about it, nearest first. */
  folders: string[]
}

/**
 * `given`: the file itself, a folder of a hub, or its entry in the cache of `huggingface_hub`.
 * `chosen`: a file of that folder, such as `model_fp16.onnx`. Rejects with `invalid_request`.
 */
export async function findModelFile(given: string, chosen?: string): Promise<FoundModel> {
  if ((await stat(given)).isFile()) {
    if (chosen !== undefined)
      throw appError('invalid_request', `--embedder-file ${chosen}: ${given} is a file already`)
    const own = path.dirname(given)
    return { onnxPath: given, folders: [own, path.dirname(own)] }
  }
  const folder = await snapshotOf(given)
  const found = await chooseFile(folder, chosen)
  return { onnxPath: path.join(folder, found), folders: foldersUpTo(folder, found) }
}

/** `models--owner--name` of the cache holds snapshots; `refs/main` names the newest. */
async function snapshotOf(given: string): Promise<string> {
  const snapshots = await entriesOf(path.join(given, 'snapshots'))
  if (snapshots.length === 0) return given
  const main = await readFile(path.join(given, 'refs', 'main'), 'utf8').catch(() => '')
  const name = snapshots.find((one) => one === main.trim()) ?? snapshots[0]!
  if (snapshots.length > 1 && name !== main.trim())
    throw appError(
      'invalid_request',
      `${given} has ${snapshots.length} snapshots: give the folder of one, ${path.join('snapshots', name)} for example`
    )
  return path.join(given, 'snapshots', name)
}

async function chooseFile(folder: string, chosen: string | undefined): Promise<string> {
  const there = await onnxFiles(folder)
  const known = there.map((file) => file.split(path.sep).join('/'))
  if (chosen !== undefined) {
    const fitting = known.filter((file) => file === chosen || path.posix.basename(file) === chosen)
    const exact = fitting.find((file) => file === chosen)
    if (exact !== undefined || fitting.length === 1) return exact ?? fitting[0]!
    throw appError(
      'invalid_request',
      `--embedder-file ${chosen}: ${fitting.length > 1 ? `${fitting.join(', ')} have that name: give the path` : `${folder} has ${listed(known)}`}`
    )
  }
  const found =
    usual.find((file) => known.includes(file)) ?? (known.length === 1 ? known[0] : undefined)
  if (found !== undefined) return found
  throw appError(
    'invalid_request',
    known.length === 0
      ? `${folder} has no .onnx file: the download needs its folder onnx/, or an export (\`optimum-cli export onnx --model ${path.basename(folder)} --task feature-extraction OUT\`)`
      : `${folder} has ${listed(known)}: give one of them, for an embedder with --embedder-file`
  )
}

const listed = (files: readonly string[]): string =>
  `${files.slice(0, mostNamed).join(', ') || 'no .onnx file'}${files.length > mostNamed ? ` and ${files.length - mostNamed} more` : ''}`

/** Paths from `folder`, sorted; hidden folders are left out. */
async function onnxFiles(folder: string, depth = 0): Promise<string[]> {
  const found: string[] = []
  for (const name of await entriesOf(folder)) {
    if (name.startsWith('.')) continue
    const kind = await stat(path.join(folder, name)).catch(() => undefined)
    if (kind?.isFile() && /\.onnx$/i.test(name)) found.push(name)
    else if (kind?.isDirectory() && depth < mostDepth)
      for (const below of await onnxFiles(path.join(folder, name), depth + 1))
        found.push(path.join(name, below))
  }
  return found
}

async function entriesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.sort().slice(0, mostEntries)
}

/** The file's own folder, then those above it up to `folder`. */
function foldersUpTo(folder: string, file: string): string[] {
  const folders: string[] = []
  for (let at = path.dirname(file); at !== '.'; at = path.dirname(at))
    folders.push(path.join(folder, at))
  return [...folders, folder]
}
