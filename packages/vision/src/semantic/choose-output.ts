// Chooses the output of an embedder that holds its vectors.
import { appError } from '@likeness/shared/errors'
import type { OnnxValueInfo } from '../onnx/onnx-proto.ts'
import { dimsOf } from '../onnx/value-shapes.ts'
import type { TokenPool } from './semantic-model.ts'

/** Names of picture vectors in the exports of Optimum, transformers.js and open_clip, best first. */
const named = [
  'image_embeds',
  'l2norm_image_embeddings',
  'image_embeddings',
  'image_features',
  'pooler_output',
  'embedding',
  'embeddings'
]
/** Scores of classes or pairs, and vectors of texts. */
const isOther = (name: string): boolean => /^logits|(^|_)text(_|$)|^loss$/i.test(name)
/** Dimensions of a vector, a map, tokens, and of an output that the file does not describe. */
const ranks = [2, 4, 3, 0]
const tokenRank = 3

/**
 * A named output, else the first vector [batch, n], else the first map, else tokens [batch, tokens,
 * n]. With `pool`, only tokens. Throws `invalid_request`. `file`: for messages.
 */
export function chooseOutput(
  outputs: readonly OnnxValueInfo[],
  { file, pool }: { file: string; pool?: TokenPool | undefined }
): string {
  const seen = outputs
    .map(
      (one) =>
        `${one.name} [${dimsOf(one)
          .map((dim) => dim || '?')
          .join(', ')}]`
    )
    .join(', ')
  const usable = outputs.filter(({ name }) => !isOther(name))
  const rankOf = (one: OnnxValueInfo): number => dimsOf(one).length
  const found =
    pool === undefined
      ? (named.map((name) => usable.find((one) => one.name === name)).find(Boolean) ??
        ranks.map((rank) => usable.find((one) => rankOf(one) === rank)).find(Boolean))
      : usable.find((one) => rankOf(one) === tokenRank)
  if (found !== undefined) return found.name
  const needed =
    pool === undefined
      ? 'an embedder gives a vector [batch, n], a map [batch, n, height, width] or tokens [batch, tokens, n]'
      : `--embedder-pool ${pool} is for tokens [batch, tokens, n]`
  const instead =
    pool === undefined && outputs.length > usable.length
      ? ' (logits and texts are left out: take the export of the features, for example `optimum-cli export onnx --task feature-extraction`, or `onnx/vision_model.onnx` of the same download)'
      : ''
  throw appError(
    'invalid_request',
    `${file}: ${needed}; this one gives ${seen || 'nothing'}${instead}`
  )
}
