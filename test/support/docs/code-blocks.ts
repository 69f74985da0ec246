// Fenced code blocks of a page, and the commands in them.
import type { Page } from './documents.ts'

export interface CodeBlock {
  file: string
  /** Line of the opening fence, from 1. */
  line: number
  /** Language of the block; empty for a fence without a language. */
  language: string
  /** Lines without the fences. */
  lines: string[]
}

export interface DocumentedCommand {
  file: string
  /** Number of the first line. */
  line: number
  /** Text of the command. Continued lines are joined in the same way as by a shell. */
  text: string
}

const fence = /^(\s*)(`{3,})\s*([^\s`]*)/

/** Finds the code blocks of a page. Throws for a fence that is never closed. */
export function codeBlocks({ file, content }: Page): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { block: CodeBlock; mark: string } | undefined
  for (const [index, text] of content.split('\n').entries()) {
    const [, , mark = '', language = ''] = fence.exec(text) ?? []
    if (open === undefined && mark !== '')
      open = { block: { file, line: index + 1, language, lines: [] }, mark }
    else if (open !== undefined && mark.length >= open.mark.length && language === '') {
      blocks.push(open.block)
      open = undefined
    } else open?.block.lines.push(text)
  }
  if (open !== undefined)
    throw new Error(`${file}:${open.block.line} opens a code block that is never closed`)
  return blocks
}

/**
 * Returns the commands of a block. Each line is a command, except after a backslash at the end of
 * the former line.
 */
export function commandsOf({ file, line, lines }: CodeBlock): DocumentedCommand[] {
  const commands: DocumentedCommand[] = []
  let open: DocumentedCommand | undefined
  for (const [index, text] of lines.entries()) {
    open ??= { file, line: line + 1 + index, text: '' }
    open.text += text.replace(/\\$/, '')
    if (text.endsWith('\\')) continue
    if (isCommand(open.text)) commands.push(open)
    open = undefined
  }
  if (open !== undefined) throw new Error(`${open.file}:${open.line} continues past its block`)
  return commands
}

const isCommand = (text: string): boolean => text.trim() !== '' && !text.trim().startsWith('#')

/** Returns the commands of all blocks of a language, in the order of the page. */
export const commandsIn = (page: Page, language: string): DocumentedCommand[] =>
  codeBlocks(page)
    .filter((block) => block.language === language)
    .flatMap(commandsOf)
