// `likeness model import`: checks the export, learns the projection, and reports each step.
import { basename } from 'node:path'
import { createRandom } from '@likeness/drawing/seeded-random'
import { messageOf } from '@likeness/shared/errors'
import {
  type ImportedManifest,
  importModel,
  type ImportOptions,
  learnProfile
} from '@likeness/vision'
import type { CommandContext } from '../command.ts'
import { createProgress } from '../progress.ts'
import { drawReferences, readReferences } from './learning-references.ts'
import { checkModelName } from './model-folders.ts'

export interface ImportRequest {
  onnxPath: string
  /** Default: the file's name. */
  name: string | undefined
  /** Folder of pictures; undefined: drawn pictures. */
  pictures: string | undefined
  modelsDir: string
  semantic?: ImportOptions['semantic']
}

const seed = 20

export async function importExport(
  { onnxPath, name, pictures, modelsDir, semantic }: ImportRequest,
  context: CommandContext
): Promise<ImportedManifest> {
  const { say } = context
  return importModel({
    onnxPath,
    modelsDir,
    semantic,
    name: checkModelName(name ?? basename(onnxPath).replace(/\.onnx$/i, '')),
    onStep: (step, result) => say(`  ${step.padEnd(10)}  ${result}`),
    learn: async (embedder) => {
      const drawing = createProgress({ label: 'drawing  ', unit: 'things' }, context)
      const learning =
        pictures === undefined
          ? await drawReferences((done, total) => drawing.show(done, total))
          : await readReferences(pictures, (path, reason) =>
              say(`  ${path} is left out: ${messageOf(reason)}`)
            )
      drawing.done()
      const looking = createProgress({ label: 'learning ', unit: 'canvases' }, context)
      const learned = await learnProfile({
        ...learning,
        embedder,
        random: createRandom(seed),
        onProgress: (done, total) => looking.show(done, total)
      })
      looking.done()
      return learned
    }
  })
}
