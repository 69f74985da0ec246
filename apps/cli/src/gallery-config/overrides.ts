// `-o A.B=v`: values of the command line replace values of the file.
import { parse } from 'yaml'
import { UserError } from '../user-error.ts'

type Tree = Record<string, unknown>
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null

/**
 * Sets the overrides in `values`, and returns the path of each with its text. UserError for any
 * other form than NAME.NAME=value.
 */
export function applyOverrides(values: Tree, overrides: readonly string[]): Map<string, string> {
  const given = new Map<string, string>()
  for (const text of overrides) {
    const { path, value } = parseOverride(text)
    setAt(values, path, value, text)
    given.set(path.join('.'), `-o ${text}`)
  }
  return given
}

function parseOverride(text: string): { path: string[]; value: unknown } {
  const at = text.indexOf('=')
  const path = text.slice(0, Math.max(at, 0)).trim().split('.')
  if (at < 1 || path.some((part) => part === ''))
    throw new UserError(`-o ${text}: write SECTION.KEY=value`)
  if (path.some((part) => ['__proto__', 'constructor', 'prototype'].includes(part)))
    throw new UserError(`-o ${text}: there is no such key`)
  try {
    // A value like a: b would be a map. An override is a single value, a list, or {a: b}.
    return { path, value: parse(text.slice(at + 1), { logLevel: 'silent' }) as unknown }
  } catch (error) {
    throw new UserError(`-o ${text}: ${(error as Error).message.split('\n')[0]}`)
  }
}

function setAt(values: Tree, path: readonly string[], value: unknown, text: string): void {
  let tree: Tree | unknown[] = values
  for (const [i, part] of path.entries()) {
    if (Array.isArray(tree)) {
      const place = Number(part)
      if (!Number.isInteger(place) || place < 0 || place >= tree.length)
        throw new UserError(`-o ${text}: ${path.slice(0, i).join('.')} is a list of ${tree.length}`)
    }
    const branch = tree as Tree
    if (i === path.length - 1) {
      branch[part] = value
      return
    }
    if (branch[part] === undefined || branch[part] === null) branch[part] = {}
    const next = branch[part]
    if (!isTree(next))
      throw new UserError(`-o ${text}: ${path.slice(0, i + 1).join('.')} is a value, not a section`)
    tree = next
  }
}
