// Reads a yaml file as plain values, with the place of each: problems are reported as
// file:line:column.
import { readFile, stat } from 'node:fs/promises'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { decodeTextFile } from '@likeness/shared/data/text-encoding'
import { UserError } from '../user-error.ts'

const maxBytes = 1024 * 1024
const maxAliases = 100

export interface YamlFile {
  values: unknown
  /**
   * `file:line:column` of a value, or of a key with `atKey`. A missing value has the place of the
   * nearest parent.
   */
  place(path: readonly PropertyKey[], options?: { atKey?: boolean }): string
}

/** UserError for a file that cannot be read or is not yaml; names the place. */
export async function readYamlFile(file: string): Promise<YamlFile> {
  const text = await readText(file)
  const counter = new LineCounter()
  const at = (offset: number): string => {
    const { line, col } = counter.linePos(offset)
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`
  }
  const doc = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: 'error'
  })
  const problems = doc.errors.map(
    ({ pos, code, message }) =>
      `${at(pos[0])}: ${code === 'MULTIPLE_DOCS' ? 'several yaml documents in one file, one is expected' : message.split('\n')[0]}`
  )
  if (doc.errors.some(({ message }) => isTooDeep(message))) throw tooDeep(file)
  if (problems.length > 0) throw new UserError(problems.slice(0, 10).join('\n'))
  if (doc.contents === null || !isMap(doc.contents))
    throw new UserError(
      `${file}:1:1: ${text.trim() === '' ? 'the file is empty' : 'sections like `IndexProcess:` are expected'}`
    )
  return {
    values: toValues(doc, file),
    place: (path, { atKey = false } = {}) => at(offsetOf(doc, path, atKey))
  }
}

async function readText(file: string): Promise<string> {
  try {
    const found = await stat(file)
    if (found.isDirectory()) throw new UserError(`${file} is a folder, not a yaml file`)
    if (!found.isFile()) throw new UserError(`${file} is not a regular file`)
    if (found.size > maxBytes)
      throw new UserError(`${file} has ${found.size} bytes: this is no configuration`)
    const text = decodeTextFile(await readFile(file))
    if (text === undefined) throw new UserError(`${file} is not UTF-8`)
    return text
  } catch (error) {
    if (error instanceof UserError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new UserError(`${file}: there is no such file`)
    if (code !== undefined) throw new UserError(`${file} cannot be read (${code})`)
    throw error
  }
}

/** The yaml package reads by recursion, and reports the end of its stack as an error of the file. */
const isTooDeep = (message: string): boolean => message.startsWith('Maximum call stack')
const tooDeep = (file: string): UserError =>
  new UserError(`${file}:1:1: too many lists or sections inside each other`)

function toValues(doc: Document.Parsed, file: string): unknown {
  try {
    return doc.toJS({ maxAliasCount: maxAliases })
  } catch (error) {
    // The yaml package throws ReferenceErrors for aliases without an anchor, and for too many
    // aliases.
    if (error instanceof ReferenceError) throw new UserError(`${file}:1:1: ${error.message}`)
    if (error instanceof RangeError) throw tooDeep(file)
    throw error
  }
}

/** Offset of the node of a path; the nearest parent's offset when the node is missing. */
function offsetOf(doc: Document.Parsed, path: readonly PropertyKey[], atKey: boolean): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = length === 1 ? doc.contents : doc.getIn(path.slice(0, length - 1), true)
    const pair = isMap(parent)
      ? parent.items.find(
          ({ key }) => isScalar(key) && String(key.value) === String(path[length - 1])
        )
      : undefined
    const node: unknown =
      (atKey && length === path.length) || length < path.length
        ? pair?.key
        : doc.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
    if (isNode(pair?.key) && pair.key.range) return pair.key.range[0]
  }
  return 0
}
