// Compares commands, variables and routes in the documentation with the program. No process is
// started. test/integration/docs/ runs the commands.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commandsIn } from './support/docs/code-blocks.ts'
import { readPage, readPages, repositoryRoot } from './support/docs/documents.ts'
import { problemOf } from './support/docs/dry-parse.ts'
import { apiRoutes, namedRoutes } from './support/docs/routes.ts'
import { elsewhere, runElsewhere } from './support/docs/run-elsewhere.ts'
import { splitAssignments } from './support/docs/shell-words.ts'
import {
  documentedDefault,
  isReadSomewhere,
  variableRows,
  variablesOfApps,
  variablesOfCli
} from './support/docs/variables.ts'

/** First words of a file, in docs/upgrading.md. They look like a command. */
const notOurCommands = ['likeness object directory 2']
const pages = readPages()
const commandsOfAll = (language: string) => pages.flatMap((page) => commandsIn(page, language))

async function problemsOf(
  commands: readonly { file: string; line: number; text: string }[]
): Promise<string[]> {
  const problems: string[] = []
  for (const { file, line, text } of commands) {
    const problem = await problemOf(text)
    if (problem !== undefined) problems.push(`${file}:${line} ${text.trim()}: ${problem}`)
  }
  return problems
}

test('every command of an illustration would be understood', async () => {
  const illustrated = commandsOfAll('console')
  expect(illustrated.length).toBeGreaterThan(40)
  expect(await problemsOf(illustrated)).toEqual([])
})

test('every command that a sentence names would be understood', async () => {
  const named = pages.flatMap(({ file, content }) =>
    content.split('\n').flatMap((text, index) =>
      [...text.matchAll(/`((?:likeness|npm (?:run|test|start)) ?[a-z][^`]*)`/g)].map((match) => ({
        file,
        line: index + 1,
        text: match[1]!
      }))
    )
  )
  expect(named.length).toBeGreaterThan(40)
  expect(await problemsOf(named.filter(({ text }) => !notOurCommands.includes(text)))).toEqual([])
})

test('every command that runs elsewhere stands in a page, is understood and runs there', async () => {
  const found = commandsOfAll('sh').filter((command) => elsewhere(command) !== undefined)
  const stale = runElsewhere.filter((entry) => !found.some((one) => elsewhere(one) === entry))
  expect(stale.map(({ command }) => command)).toEqual([])
  expect(await problemsOf(found)).toEqual([])
  const source = (file: string) => readFileSync(join(repositoryRoot, file), 'utf8')
  const notThere = runElsewhere.filter(({ by, shownBy }) => !source(by).includes(shownBy))
  expect(notThere).toEqual([])
})

test('every variable that a command sets is read somewhere', () => {
  const set = [...commandsOfAll('console'), ...commandsOfAll('sh')].flatMap(
    ({ text }) => splitAssignments(text.trim().split(/\s+/)).variables
  )
  const ofEnvironment = [...new Set(set)].filter((name) => name !== 'JOB')
  expect(ofEnvironment).toContain('SIMULATION_SEEDS')
  expect(ofEnvironment.filter((name) => !isReadSomewhere(name))).toEqual([])
})

const settingsPage = variableRows(readPage('docs/settings.md').content)

test('the variables of the apps are those of docs/settings.md, with their apps and defaults', () => {
  const read = variablesOfApps()
  read.delete('LIKENESS_TEST_HOOKS')
  const documented = settingsPage.filter(({ apps }) => apps !== '')
  const appsOf = documented.map(({ name, apps }) => `${name}: ${apps}`)
  expect(appsOf.sort()).toEqual([...read].map(([name, { apps }]) => `${name}: ${apps}`).sort())
  for (const row of documented) {
    const told = documentedDefault(row.default)
    if (told !== undefined)
      expect(`${row.name}: ${told}`).toBe(`${row.name}: ${String(read.get(row.name)!.default)}`)
  }
})

test('the variables of command line and tests are those of docs/settings.md', () => {
  const documented = settingsPage.filter(({ apps }) => apps === '').map(({ name }) => name)
  expect(documented.filter((name) => !isReadSomewhere(name))).toEqual([])
  expect(variablesOfCli().filter((name) => !documented.includes(name))).toEqual([])
})

test('every route of the API stands in docs/http.md, and no other', () => {
  expect(namedRoutes(readPage('docs/http.md').content).sort()).toEqual([...apiRoutes].sort())
})
