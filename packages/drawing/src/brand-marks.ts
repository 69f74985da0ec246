// Chooses the marks of the icon set for the gallery: a mark per brand, so that each query has a
// single right answer.
import logos from '@iconify-json/logos/icons.json' with { type: 'json' }

interface Icon {
  body: string
  width?: number
  height?: number
  hidden?: boolean
}
const icons: Record<string, Icon> = logos.icons

// `x-icon` is the mark of brand x. `x` is often the word mark with the same mark. The others are
// recoloured or older versions.
const variant =
  /-(icon|dark|light|mono|alt|classic|official|vertical|horizontal|wordmark|original|old|new|20\d\d|\d)$/

export function brandOf(name: string): string {
  const shorter = name.replace(variant, '')
  return shorter === name || shorter === '' ? name : brandOf(shorter)
}

/** Rank of a name; lower is the better representative of the brand. */
const rank = (name: string): number => {
  if (name.endsWith('-icon')) return 0
  return name === brandOf(name) ? 1 : 2
}

/**
 * Returns a name per brand, in alphabetical order, without marks that the set's authors have
 * withdrawn.
 */
export function chooseBrandMarks(names: readonly string[]): string[] {
  const chosen = new Map<string, string>()
  for (const name of [...names].sort()) {
    const held = chosen.get(brandOf(name))
    if (held === undefined || rank(name) < rank(held)) chosen.set(brandOf(name), name)
  }
  return [...chosen.values()].sort()
}

export const listedMarks = (): string[] =>
  Object.keys(icons).filter((name) => icons[name]!.hidden !== true)

/** Returns the mark as an SVG document whose longest side is `longestSide` pixels. */
export function markSvg(name: string, longestSide: number): string {
  const { body, width = logos.width, height = logos.height } = icons[name]!
  const scale = longestSide / Math.max(width, height)
  const size = `width="${(width * scale).toFixed(2)}" height="${(height * scale).toFixed(2)}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size} viewBox="0 0 ${width} ${height}">${body}</svg>`
}
