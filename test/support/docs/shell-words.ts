// Splits a shell line into words. It understands the grammar that the documented commands need.

/** Text in quotes, after a backslash, or bare. */
const piece = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\|&;]+)/y
const separator = /\s*(?:\|\||&&|\||;|&)\s*/y

/**
 * Returns the simple commands of a line, each as a list of words, without the comment at the end.
 * Throws for unknown grammar.
 */
export function splitCommands(line: string): string[][] {
  const commands: string[][] = [[]]
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(line)
    if (found !== null) at = pattern.lastIndex
    return found
  }
  while (match(/\s*/y) !== null && at < line.length) {
    if (line[at] === '#') break
    if (match(separator) !== null) {
      commands.push([])
      continue
    }
    let word = ''
    for (let found = match(piece); found !== null; found = match(piece))
      word += found[1] ?? found[2]?.replace(/\\(["\\$`])/g, '$1') ?? found[3] ?? found[4]!
    if (at < line.length && !/[\s|&;]/.test(line[at]!))
      throw new Error(`column ${at + 1} is not understood: ${line}`)
    if (/^\$\(/.test(word)) throw new Error(`a command in a command is not understood: ${line}`)
    commands.at(-1)!.push(word)
  }
  return commands.filter((words) => words.length > 0)
}

const assignment = /^([A-Za-z_]\w*)=/

/** Separates the variables in front of a command from the command. */
export function splitAssignments(words: readonly string[]): {
  variables: string[]
  command: string[]
} {
  const first = words.findIndex((word) => !assignment.test(word))
  const end = first === -1 ? words.length : first
  return {
    variables: words.slice(0, end).map((word) => assignment.exec(word)![1]!),
    command: words.slice(end)
  }
}
