// Small models with declared maps, written, prepared and checked against the plain computation.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { noisePicture } from '../src/fixture/pictures.ts'
import { buildTinyModel, tinyClasses, type TinyGraphOptions } from '../src/fixture/tiny-graph.ts'
import { type Agreement, verifyModel } from '../src/import/verify-model.ts'
import { createEmbedder, type Embedder } from '../src/model/embedder.ts'
import { prepareModel } from '../src/model/model-prepare.ts'
import { encodeModel, type OnnxModel } from '../src/onnx/onnx-proto.ts'

export const dir = temporaryFolder('parts')

interface Declared {
  maps: unknown[]
  /** Value of `likeness_backbone`. */
  backbone?: string
  side?: number
  graph?: TinyGraphOptions
}

export function build({ maps, backbone, side = 64, graph = {} }: Declared): OnnxModel {
  const metadata: Record<string, string> = {
    names: `{0: '${tinyClasses[0]}', 1: '${tinyClasses[1]}'}`,
    imgsz: `[${side}, ${side}]`,
    likeness_maps: JSON.stringify(maps),
    ...(backbone !== undefined && { likeness_backbone: backbone })
  }
  const model = buildTinyModel({ ...graph, trunk: true })
  model.graph.output = model.graph.output.filter(({ name }) => name !== 'semantic')
  return {
    ...model,
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value }))
  }
}

let made = 0
export async function write(model: OnnxModel): Promise<string> {
  const onnxPath = path.join(dir, `${made++}.onnx`)
  await writeFile(onnxPath, encodeModel(model))
  return onnxPath
}

/** Prepares a model and checks the model against the oracle. Closes it when `use` is done. */
export async function open<T>(
  model: OnnxModel,
  use: (embedder: Embedder, checked: Agreement, onnxPath: string) => Promise<T> | T
): Promise<T> {
  const onnxPath = await write(model)
  const embedder = await createEmbedder({
    model: await prepareModel({ onnxPath, cacheDir: dir }),
    executionProviders: ['cpu'],
    threads: 1
  })
  try {
    const pictures = [noisePicture(150, 90, 5)]
    return await use(
      embedder,
      await verifyModel({ embedder, sourcePath: onnxPath, pictures }),
      onnxPath
    )
  } finally {
    await embedder.close()
  }
}

export const refusal = async (model: OnnxModel): Promise<string> =>
  prepareModel({ onnxPath: await write(model), cacheDir: dir }).then(
    () => 'taken',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`
  )

/** Calls a map of the graph's own, of stride 8, `tiny_Relu_8`. */
export function nameOwnMap({ graph }: OnnxModel): OnnxModel['graph'] {
  const [relu] = graph.node.filter(({ opType }) => opType === 'Relu')
  graph.node.push({
    opType: 'Identity',
    input: [relu!.output[0]!],
    output: ['tiny_Relu_8'],
    attribute: []
  })
  return graph
}
