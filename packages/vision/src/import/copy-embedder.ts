// Copies an embedder's graph, cut to what its vectors need, and the files that its weights lie in.
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError, messageOf } from '@likeness/shared/errors'
import { sha256OfFile } from '../model/hash-file.ts'
import { cutTo } from '../onnx/cut-graph.ts'
import { externalTensors, locationOf, moveTo } from '../onnx/external-data.ts'
import { decodeGraph, encodeModel, type OnnxModel, type OnnxTensor } from '../onnx/onnx-proto.ts'
import { type EmbedderGraph, readEmbedderGraph } from '../semantic/embedder-graph.ts'
import type { TokenPool } from '../semantic/semantic-model.ts'

export interface CopiedEmbedder {
  graph: EmbedderGraph
  sha256: string
  /** Of the file as it was given. */
  sourceSha256: string
  data: { file: string; sha256: string }[]
}

export interface CopyOptions {
  onnxPath: string
  /** Folder of the copies, and the name of the graph in it. */
  work: string
  file: string
  pool?: TokenPool | undefined
}

/** Largest file of protobuf. */
const mostGraphBytes = 2 ** 31 - 1
/** Exporters write one file, or one for each weight. */
const mostDataFiles = 1024
/** Eight times the largest embedder of today's hubs. */
const mostDataBytes = 32 * 1024 ** 3

/** Rejects with `data_corrupt` for bytes that are not ONNX, `invalid_request` for no embedder. */
export async function copyEmbedder({
  onnxPath,
  work,
  file,
  pool
}: CopyOptions): Promise<CopiedEmbedder> {
  const named = path.basename(onnxPath)
  if ((await stat(onnxPath)).size > mostGraphBytes)
    throw appError('invalid_request', `${named} is larger than 2 GB, which no ONNX graph is`)
  const source = await readFile(onnxPath)
  const model = decodeOrReject(source, named)
  const graph = readEmbedderGraph(model.graph, { file: named, pool })
  if (graph.unusedInputs.length > 0) cutTo(model, graph.outputName)
  const data = await copyWeights(model, { onnxPath, work, file })
  // The user's own bytes where nothing has to differ.
  const bytes = graph.unusedInputs.length > 0 || data.length > 0 ? encodeModel(model) : source
  await writeFile(path.join(work, file), bytes)
  return { graph, sha256: sha256Hex(bytes), sourceSha256: sha256Hex(source), data }
}

function decodeOrReject(bytes: Uint8Array, file: string): OnnxModel {
  try {
    return decodeGraph(bytes)
  } catch (error) {
    throw appError('data_corrupt', `${file} is not an ONNX model: ${messageOf(error)}`, {
      cause: error
    })
  }
}

async function copyWeights(
  model: OnnxModel,
  { onnxPath, work, file }: CopyOptions
): Promise<{ file: string; sha256: string }[]> {
  const named = path.basename(onnxPath)
  const byLocation = new Map<string, OnnxTensor[]>()
  for (const tensor of externalTensors(model.graph)) {
    const location = locationOf(tensor)
    byLocation.set(location, [...(byLocation.get(location) ?? []), tensor])
  }
  if (byLocation.size > mostDataFiles)
    throw appError(
      'invalid_request',
      `${named}: its weights lie in ${byLocation.size} files, at most ${mostDataFiles} are taken: export it with all weights in one file`
    )
  const copied: { file: string; sha256: string }[] = []
  let left = mostDataBytes
  for (const [location, tensors] of byLocation) {
    const from = path.join(path.dirname(onnxPath), checkedLocation(location, named))
    left -= await checkWeights(from, { location, tensors, named })
    if (left < 0)
      throw appError('invalid_request', `${named}: its weights are larger than 32 GiB together`)
    const target = `${file}.data${copied.length === 0 ? '' : `.${copied.length}`}`
    await copyFile(from, path.join(work, target))
    for (const tensor of tensors) moveTo(tensor, target)
    copied.push({ file: target, sha256: await sha256OfFile(path.join(work, target)) })
  }
  return copied
}

/**
 * A graph may name files below its own folder, and no others. Links of such a name are followed: a
 * hub's cache is made of them.
 */
function checkedLocation(location: string, named: string): string {
  const parts = location.split(/[\\/]/)
  if (
    location === '' ||
    location.includes('\0') ||
    path.isAbsolute(location) ||
    /^[a-z]:/i.test(location) ||
    parts.includes('..')
  )
    throw appError(
      'invalid_request',
      `${named} names ${JSON.stringify(location.slice(0, 200))} as the file of its weights; a file beside it is needed`
    )
  return path.join(...parts)
}

/** Answers the file's bytes. */
async function checkWeights(
  from: string,
  { location, tensors, named }: { location: string; tensors: readonly OnnxTensor[]; named: string }
): Promise<number> {
  const found = await stat(from).catch(() => undefined)
  if (!found?.isFile())
    throw appError(
      'invalid_request',
      `${named}: its weights lie in ${location}, which is not beside it: download that file, too`
    )
  const end = Math.max(...tensors.map(endOf))
  if (found.size < end)
    throw appError(
      'invalid_request',
      `${named}: its weights end at byte ${end} of ${location}, which has ${found.size}: the download is not complete${found.size < 1024 ? ', or is a pointer of Git LFS' : ''}`
    )
  return found.size
}

function endOf({ externalData = [] }: OnnxTensor): number {
  const numberOf = (key: string): number =>
    Number(externalData.find((entry) => entry.key === key)?.value ?? 0)
  return numberOf('offset') + numberOf('length')
}
