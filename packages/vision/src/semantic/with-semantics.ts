// A detector whose raw vectors also hold, or only hold, an ordinary embedder's vector of each box.
import type { PooledMap } from '../onnx/pooled-map.ts'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box } from '../picture/letterbox.ts'
import type { EmbedResult, EmbedRuns } from '../runtime/embed-runs.ts'
import type { SemanticEmbedder } from './semantic-embedder.ts'
import type { SemanticModel } from './semantic-model.ts'

export interface SemanticParts {
  detector: EmbedRuns
  embedder: SemanticEmbedder
  semantic: Pick<SemanticModel, 'kind'>
  maps: readonly PooledMap[]
}

export function withSemantics({
  detector,
  embedder,
  semantic: { kind },
  maps
}: SemanticParts): EmbedRuns {
  // Each map's part has unit length: with this factor both halves of a raw vector weigh the same.
  const weight = Math.sqrt(maps.length)
  const join = (instance: Float32Array, seen: Float32Array): Float32Array => {
    if (kind === 'semantic') return seen
    const raw = new Float32Array(instance.length + seen.length)
    raw.set(instance)
    for (let i = 0; i < seen.length; i++) raw[instance.length + i] = seen[i]! * weight
    return raw
  }
  // The whole picture is asked for once per view size, and the embedder sees the same each time.
  const wholes = new WeakMap<DecodedImage, Promise<Float32Array>>()
  function seeWhole(image: DecodedImage): Promise<Float32Array> {
    const seen = wholes.get(image) ?? embedder.embedWhole(image)
    wholes.set(image, seen)
    return seen
  }

  async function complete(
    image: DecodedImage,
    found: EmbedResult,
    extraBoxes: readonly Box[]
  ): Promise<EmbedResult> {
    const subjects = found.subjects.map(({ box }) => box)
    const seen = await embedder.embedBoxes(image, [...subjects, ...extraBoxes])
    return {
      ...found,
      subjects: found.subjects.map((subject, i) => ({
        ...subject,
        raw: join(subject.raw, seen[i]!)
      })),
      whole: join(found.whole, await seeWhole(image)),
      extra: found.extra.map((raw, i) => join(raw, seen[subjects.length + i]!))
    }
  }

  async function embedBatch(
    ...[images, options = {}]: Parameters<EmbedRuns['embedBatch']>
  ): Promise<EmbedResult[]> {
    const results: EmbedResult[] = []
    for (const [i, found] of (await detector.embedBatch(images, options)).entries())
      results.push(await complete(images[i]!, found, options.extraBoxes ?? []))
    return results
  }
  return {
    embedBatch,
    embed: async (image, options = {}) => (await embedBatch([image], options))[0]!,
    async embedWhole(image, sizes) {
      const seen = await seeWhole(image)
      return (await detector.embedWhole(image, sizes)).map((raw) => join(raw, seen))
    }
  }
}
