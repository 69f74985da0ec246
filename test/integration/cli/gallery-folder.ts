// Folders of a PP-ShiTu user for the program: a yaml, a list and drawn pictures. Also parses the
// hits that the program prints.
import { type Home, unmodifiedYaml } from './likeness.ts'

/**
 * Yaml for these tests: the smallest model has 64 dimensions, and a threshold makes no sense for
 * drawn noise.
 */
export const yaml = unmodifiedYaml
  .replace('embedding_size: 512', 'embedding_size: 64')
  .replace('score_thres: 0.7', 'score_thres: "None"')
export const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
/** Returns a path with a space. Labels also have spaces; there is no delimiter. */
export const pathOf = (seed: number): string => `set ${seed % 3}/${seed}.jpg`
export const listOf = (seeds: readonly number[]): string =>
  seeds.map((seed) => `${pathOf(seed)} label of ${seed}\n`).join('')
export const folderOf = (
  home: Home,
  name: string,
  seeds: readonly number[],
  list = listOf(seeds)
): Promise<string> =>
  home.folder(
    name,
    { 'product.yaml': yaml, 'product_data.txt': list },
    Object.fromEntries(seeds.map((seed) => [`product_images/${pathOf(seed)}`, seed]))
  )

/** Returns the lines of hits of all objects, best first, each file once. */
export function hitsIn(stdout: string): string[] {
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith('    ') ? [line.trim()] : []))
  const scoreOf = (line: string): number => Number(line.split('  ').at(-2))
  const files = new Set<string>()
  return lines
    .sort((a, b) => scoreOf(b) - scoreOf(a))
    .filter((line) => files.size < files.add(fileOf(line)).size)
}
export const fileOf = (line: string): string => line.split('  ').at(-1)!
