// Tests that the documentation names existing files, has lines of readable length, and never names
// the package of a stranger.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readPages, repositoryRoot as root } from './support/docs/documents.ts'

const maxColumns = 140
const strangersPackage = ['npx', 'likeness'].join(' ')
/** Tables that a program writes. The program decides their width. */
const generated = /<!-- keys: written by write-docs\.ts -->[^]*?<!-- end of keys -->/g
const ours = /^(apps|packages|scripts|test|docs|bench|models|examples|bin)\//
const fileEndings = 'ts|mjs|js|json|yml|yaml|md|cc|h|py|sh|onnx|png|html'
const filePattern = new RegExp(`\`((?:\\.?[\\w@-]+\\/)+[\\w.@-]+\\.(?:${fileEndings}))\``, 'g')

interface Line {
  text: string
  at: string
}

/** Returns the lines outside code blocks and generated tables. */
function proseOf(file: string, content: string): Line[] {
  const lines: Line[] = []
  let isCode = false
  const written = content.replace(generated, (table) => table.replace(/[^\n]/g, ''))
  for (const [index, text] of written.split('\n').entries()) {
    if (/^\s*```/.test(text)) isCode = !isCode
    else if (!isCode) lines.push({ text, at: `${file}:${index + 1}` })
  }
  return lines
}

/** Returns the anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[`*]/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

function hasAnchor(content: string, anchor: string): boolean {
  const headings = content.matchAll(/^#{1,6} +(.+)$/gm)
  return [...headings].some((match) => anchorOf(match[1]!) === anchor)
}

/** Returns links of a line to a missing file, or to a heading that the file does not have. */
function brokenLinks(file: string, { text, at }: Line): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const link = match[1]!
    const [path = '', anchor] = link.split('#')
    if (/^[a-z]+:/.test(path)) return []
    const target = path === '' ? join(root, file) : join(root, dirname(file), path)
    const isThere = existsSync(target)
    const anchorIsThere = (name: string) => hasAnchor(readFileSync(target, 'utf8'), name)
    const isGood = isThere && (anchor === undefined || anchorIsThere(anchor))
    return isGood ? [] : [`${at} links to ${link}`]
  })
}

/** Returns missing files that backticks name by their path in the repository. */
const missingFiles = ({ text, at }: Line): string[] =>
  [...text.matchAll(filePattern)]
    .map((match) => match[1]!)
    .filter((path) => ours.test(path) && !existsSync(join(root, path)))
    .map((path) => `${at} names ${path}`)

/**
 * Returns a problem for a line that is too wide to read. Targets of links do not count. In a table
 * each cell is checked alone.
 */
function tooWide({ text, at }: Line): string[] {
  const bare = text.replace(/\]\([^)]*\)/g, ']')
  const pieces = bare.startsWith('|') ? bare.split(/(?<!\\)\|/) : [bare]
  return pieces
    .map((piece) => piece.trim())
    .filter((piece) => piece.length > maxColumns)
    .map((piece) => `${at} has ${piece.length} columns: ${piece.slice(0, 60)}`)
}

const documents = readPages().map(({ file, content }) => ({
  file,
  content,
  lines: proseOf(file, content)
}))

test('every relative link of the documentation leads to a file and a heading that exist', () => {
  expect(documents.length).toBeGreaterThan(20)
  const links = ({ file, lines }: (typeof documents)[number]) =>
    lines.flatMap((line) => brokenLinks(file, line))
  expect(documents.flatMap(links)).toEqual([])
})

test('every file that the documentation names by its path exists', () => {
  expect(documents.flatMap(({ lines }) => lines.flatMap(missingFiles))).toEqual([])
})

test('no line of prose and no table cell is wider than 140 columns', () => {
  expect(documents.flatMap(({ lines }) => lines.flatMap(tooWide))).toEqual([])
})

test('the command is never called through npx', () => {
  const guilty = documents.filter(({ content }) => content.includes(strangersPackage))
  expect(guilty.map(({ file }) => file)).toEqual([])
})

test('a broken link, a missing file and a wide line are found', () => {
  const line = (text: string): Line => ({ text, at: 'a.md:1' })
  const linksOf = (text: string) => brokenLinks('README.md', line(text))
  expect(linksOf('see [this](docs/no-page.md)')).toEqual(['a.md:1 links to docs/no-page.md'])
  expect(linksOf('see [this](README.md#no-part)')).toEqual(['a.md:1 links to README.md#no-part'])
  expect(linksOf('see [this](https://example.org/x) and [that](LICENSE)')).toEqual([])
  expect(missingFiles(line('in `apps/api/src/no-file.ts`'))).toEqual([
    'a.md:1 names apps/api/src/no-file.ts'
  ])
  expect(tooWide(line('x'.repeat(141)))).toHaveLength(1)
  expect(tooWide(line(`| ${'x'.repeat(139)} | ${'y'.repeat(141)} |`))).toHaveLength(1)
})
