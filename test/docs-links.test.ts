// The documentation names files that exist, in lines that can be read, and never sends a reader to a stranger's package.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const maxColumns = 140
const strangersPackage = ['npx', 'likeness'].join(' ')
/** Tables that a program writes: their width is the business of the program. */
const generated = /<!-- keys: written by write-docs\.ts -->[^]*?<!-- end of keys -->/g
/** What only exists once a command has run. */
const madeByCommands = /^(\.likeness|out|bench\/results)\//

interface Line {
  text: string
  at: string
}

function trackedDocuments(): string[] {
  const { status, stdout, stderr } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`git ls-files: ${stderr}`)
  return stdout.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
}

/** Lines outside of code blocks. */
function proseOf(file: string, content: string): Line[] {
  const lines: Line[] = []
  let isCode = false
  for (const [index, text] of content.replace(generated, (table) => table.replace(/[^\n]/g, '')).split('\n').entries()) {
    if (/^\s*```/.test(text)) isCode = !isCode
    else if (!isCode && !/^ {4}\S/.test(text)) lines.push({ text, at: `${file}:${index + 1}` })
  }
  return lines
}

const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[`*]/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

const anchorsOf = (content: string): Set<string> => new Set([...content.matchAll(/^#{1,6} +(.+)$/gm)].map((match) => slugOf(match[1]!)))

/** Faults of the links of a line: a file that is missing, or a heading that the file does not have. */
function brokenLinks(file: string, { text, at }: Line): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const [path = '', anchor] = match[1]!.split('#')
    if (/^[a-z]+:/.test(path)) return []
    const target = path === '' ? join(root, file) : join(root, dirname(file), path)
    if (!existsSync(target)) return [`${at} links to ${path}`]
    const isKnown = anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).has(anchor)
    return isKnown ? [] : [`${at} links to ${path}#${anchor}`]
  })
}

const filePattern = /`((?:\.?[\w@-]+\/)+[\w.@-]+\.(?:ts|mjs|js|json|yml|yaml|md|cc|h|py|sh|onnx|png|html))`/g

/** Files named in backticks, by their path in the repository, that are missing. */
const missingFiles = ({ text, at }: Line): string[] =>
  [...text.matchAll(filePattern)]
    .map((match) => match[1]!)
    .filter((path) => /^(apps|packages|scripts|test|docs|bench|models|examples|bin)\//.test(path) && !madeByCommands.test(path) && !existsSync(join(root, path)))
    .map((path) => `${at} names ${path}`)

/** Lines that are too wide to read. Links are not cut, and of a table each cell counts. */
function tooWide({ text, at }: Line): string[] {
  const bare = text.replace(/\]\([^)]*\)/g, ']')
  const pieces = bare.startsWith('|') ? bare.split(/(?<!\\)\|/).map((cell) => cell.trim()) : [bare]
  return pieces.filter((piece) => piece.length > maxColumns).map((piece) => `${at} has ${piece.length} columns: ${piece.slice(0, 60)}`)
}

const documents = trackedDocuments().map((file) => {
  const content = readFileSync(join(root, file), 'utf8')
  return { file, content, lines: proseOf(file, content) }
})

test('every relative link of the documentation leads to a file and a heading that exist', () => {
  expect(documents.length).toBeGreaterThan(20)
  expect(documents.flatMap(({ file, lines }) => lines.flatMap((line) => brokenLinks(file, line)))).toEqual([])
})

test('every file that the documentation names by its path exists', () => {
  expect(documents.flatMap(({ lines }) => lines.flatMap(missingFiles))).toEqual([])
})

test('no line of prose and no table cell is wider than 140 columns', () => {
  expect(documents.flatMap(({ lines }) => lines.flatMap(tooWide))).toEqual([])
})

test('the command is never called through npx', () => {
  expect(documents.filter(({ content }) => content.includes(strangersPackage)).map(({ file }) => file)).toEqual([])
})

test('a broken link, a missing file and a wide line are found', () => {
  const line = (text: string): Line => ({ text, at: 'a.md:1' })
  expect(brokenLinks('README.md', line('see [this](docs/no-such-page.md)'))).toEqual(['a.md:1 links to docs/no-such-page.md'])
  expect(brokenLinks('README.md', line('see [this](README.md#no-such-heading)'))).toEqual(['a.md:1 links to README.md#no-such-heading'])
  expect(brokenLinks('README.md', line('see [this](https://example.org/x) and [that](LICENSE)'))).toEqual([])
  expect(missingFiles(line('in `apps/api/src/no-such-file.ts`'))).toEqual(['a.md:1 names apps/api/src/no-such-file.ts'])
  expect(tooWide(line('x'.repeat(141)))).toHaveLength(1)
  expect(tooWide(line(`| ${'x'.repeat(139)} | ${'y'.repeat(141)} |`))).toHaveLength(1)
})
