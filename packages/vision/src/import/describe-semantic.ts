// Describes an embedder beside a detector in words.
import { normalisationText, plainPixels, type SemanticModel } from '../semantic/semantic-model.ts'

const pools = {
  cls: 'class token',
  mean: 'mean of its patches',
  'cls+mean': 'class token and mean of its patches'
}

/** Origin aside. */
export function describeSemantic(
  {
    size,
    pixels = plainPixels,
    normalisation,
    tokens,
    outputName,
    shortestEdge
  }: Omit<SemanticModel, 'origin'>,
  preprocessing: string | null
): string {
  const form = [
    pixels.order === 'BGR' && 'BGR',
    pixels.type !== 'float32' && pixels.type,
    pixels.channelsLast && 'colours last'
  ].filter((part) => typeof part === 'string')
  return [
    `each box at ${size.width}x${size.height}`,
    ...form,
    `${normalisationText(normalisation)}${preprocessing === null ? '' : ` by ${preprocessing}`}`,
    ...(shortestEdge === undefined
      ? []
      : [`of a whole picture the middle, its shortest edge at ${shortestEdge}`]),
    `output ${outputName}${tokens === undefined ? '' : ` (${pools[tokens.pool]})`}`
  ].join(', ')
}
