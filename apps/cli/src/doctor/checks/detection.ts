// Embedding a query picture takes long: by settings that ask for several runs of the model, or by
// itself.
import type { CollectionCheck } from '../check.ts'
import { changeSettings } from '../commands.ts'
import type { AskedPicture } from '../facts/ask-pictures.ts'
import { median } from '../../median.ts'

/** Settings of a search that ask for more runs. */
const costly = ['detect_tiles', 'tiles', 'query_views'] as const
const worthwhile = 1.5
const leastMs = 50
const slowMs = 2000

const isSet = (value: unknown): boolean => Array.isArray(value) && value.length > 0

/** Both ways by turns, so that other work of the machine takes from both. */
async function compare(
  pictures: readonly AskedPicture[],
  plain: object
): Promise<{ asSet: number; asPlain: number }> {
  const asSet: number[] = []
  const asPlain: number[] = []
  for (const { again } of pictures) {
    asSet.push((await again({})).took_ms.embed)
    asPlain.push((await again(plain)).took_ms.embed)
  }
  return { asSet: median(asSet)!, asPlain: median(asPlain)! }
}

export const detection: CollectionCheck = {
  id: 'slow-detection',
  complaint: 'slow',
  async examine({ api, collection: { name, settings }, status, facts }) {
    const pictures = await facts.pictures()
    if (pictures.length === 0) return undefined
    const set = costly.filter((setting) => isSet(settings[setting]))
    if (set.length > 0) {
      const plain = Object.fromEntries(set.map((setting) => [setting, []]))
      const { asSet, asPlain } = await compare(pictures, plain)
      if (asSet >= worthwhile * asPlain && asSet - asPlain >= leastMs)
        return {
          found: `embedding a query takes ${asSet.toFixed(0)} ms, without ${set.join(', ')} ${asPlain.toFixed(0)} ms`,
          says: 'Each part of a picture takes a run of the model. The settings find small things; where things are large they only cost time. Measure with `likeness eval` before and after.',
          type: [
            changeSettings(api.url, name, Object.fromEntries(set.map((setting) => [setting, []])))
          ]
        }
    }
    const usual = median(pictures.map(({ answer }) => answer.took_ms.embed))!
    if (usual < slowMs) return undefined
    const providers = [...new Set(status.lanes.map(({ provider }) => provider))].join(', ')
    return {
      found: `embedding a query takes ${(usual / 1000).toFixed(1)} s, one at a time, on ${providers}, with ${status.lanes.length} embed-workers`,
      says: 'The machine has too few free cores for the model, or the pictures are very large. Give the embed-worker more of the machine, a GPU (EXECUTION_PROVIDERS), or a quantized model.',
      type: ['uptime', 'likeness model quantize --help']
    }
  }
}
