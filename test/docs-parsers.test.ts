// Tests the parsers of the documentation: how they read blocks, commands and routes, and which
// mistakes they report.
import { expect, test } from 'vitest'
import { codeBlocks, commandsIn } from './support/docs/code-blocks.ts'
import { problemOf } from './support/docs/dry-parse.ts'
import { namedRoutes, requestOf } from './support/docs/routes.ts'
import { problemOfArguments, optionsIn } from './support/docs/script-options.ts'
import { splitAssignments, splitCommands } from './support/docs/shell-words.ts'
import { documentedDefault, variableRows } from './support/docs/variables.ts'

const page = (...lines: string[]) => ({ file: 'docs/a.md', content: lines.join('\n') })

test('a block has its language, its file and the line of its fence', () => {
  const blocks = codeBlocks(
    page('text', '```sh', 'one', '', '```', '````', '```sh', '````', '  ```json', '{}', '  ```')
  )
  expect(blocks).toEqual([
    { file: 'docs/a.md', line: 2, language: 'sh', lines: ['one', ''] },
    { file: 'docs/a.md', line: 6, language: '', lines: ['```sh'] },
    { file: 'docs/a.md', line: 9, language: 'json', lines: ['{}'] }
  ])
  expect(() => codeBlocks(page('', '```sh', 'one'))).toThrow('docs/a.md:2 opens')
})

test('a command has the line where it begins, and its continued lines', () => {
  const found = commandsIn(
    page('```sh', '# note', 'one \\', '  two', '', 'three', '```', '```text', 'four', '```'),
    'sh'
  )
  expect(found).toEqual([
    { file: 'docs/a.md', line: 3, text: 'one   two' },
    { file: 'docs/a.md', line: 6, text: 'three' }
  ])
  expect(() => commandsIn(page('```sh', 'one \\', '```'), 'sh')).toThrow('docs/a.md:2 continues')
})

test('a line is split as a shell splits it', () => {
  expect(splitCommands(`a 'b c' "d $e \\"f" g\\ h i='j k'#l # m`)).toEqual([
    ['a', 'b c', 'd $e "f', 'g h', 'i=j k#l']
  ])
  expect(splitCommands('cd a && b | c; d')).toEqual([['cd', 'a'], ['b'], ['c'], ['d']])
  expect(() => splitCommands("a 'b")).toThrow('column 3')
  expect(splitAssignments(['A=1', 'B=', 'c', 'D=2'])).toEqual({
    variables: ['A', 'B'],
    command: ['c', 'D=2']
  })
})

test.each([
  ['likeness serch --help', 'there is no command serch'],
  ['likeness build -c a.yaml --forse', "Unknown option '--forse'"],
  ['likeness status --json --data', "Option '--data' argument is ambiguous"],
  ['likeness search a.jpg', "Unexpected argument 'a.jpg'"],
  ['likeness model improt a.onnx', 'likeness model knows no improt'],
  ['likeness example cars', 'likeness example knows no cars'],
  ['npm run dmeo', 'package.json has no script dmeo'],
  ['npm run demo --json', 'npm keeps options without `--` to itself'],
  ['npm start -- --prot 1', "Unknown option '--prot'"],
  ['npm run crash -- --kils 1', "test/crash/main.ts: Unknown option '--kils'"],
  ['npm run bench -- scal', 'there is no bench scal'],
  ['npm run bench -- replica-start --m 1', "bench/replica-start/main.ts: Unknown option '--m'"],
  ['npm run bench -- scale --m 1', "bench/scale/main.ts: Unknown option '--m'"],
  ['npx vitest run --project units', 'there is no vitest project units'],
  ['npx tsc -p packages/none.json', 'there is no packages/none.json'],
  ['curl -X PUT localhost:8080/v1/collections/a', 'there is no route PUT /v1/collections/a'],
  ['cd docs && python models/none.py', 'there is no models/none.py'],
  ['rm -r x', 'rm is not checked']
])('%s is a mistake', async (line, problem) => {
  expect(await problemOf(line)).toContain(problem)
})

test.each([
  'likeness build -c a.yaml -o A.b=c --json   # a comment',
  'likeness --help',
  'likeness model import a.onnx --name b',
  'npm run demo -- --images ./pictures',
  'npm test',
  'npm run bench -- unknown DIR',
  'SIM_TRACE=1 npx vitest run --project simulation test/simulation/seeds',
  'curl -X POST localhost:8080/v1/collections/a/search -d {}'
])('%s is understood', async (line) => {
  expect(await problemOf(line)).toBeUndefined()
})

test('options of a script are read from its source, and a table in another form is refused', () => {
  const table = "parseArgs({\n  options: {\n    n: { type: 'string', default: '1' },\n"
  expect(optionsIn(`${table}    'on-disk': { type: 'boolean' }\n  }\n})`)).toEqual({
    n: { type: 'string' },
    'on-disk': { type: 'boolean' }
  })
  expect(optionsIn('const a = 1')).toBeUndefined()
  expect(() => optionsIn('parseArgs({ options })')).toThrow('not understood')
  expect(() => optionsIn(`${table}    ...more\n  }\n})`)).toThrow('not understood')
  expect(problemOfArguments('bench/batch.ts', ['--json'])).toBeUndefined()
})

test('routes are read from a page, and the request from curl', () => {
  expect(namedRoutes('`GET /v1/jobs`, `GET .../verify` and `GET /v1/jobs`; GET /none')).toEqual([
    'GET /v1/jobs',
    'GET /v1/collections/:c/verify'
  ])
  expect(requestOf(['-s', 'http://localhost:8080/v1/jobs?limit=1'])).toEqual({
    method: 'GET',
    path: '/v1/jobs'
  })
  expect(requestOf(['localhost:8080/v1/a', '-H', 'b: c', '-d', '{}'])?.method).toBe('POST')
  expect(requestOf(['-s'])).toBeUndefined()
})

test('variables are read from a table, with apps and default', () => {
  expect(variableRows('| `A_B` | 5e7 | 1 to 2 | A E | text |\n| `C`, `D_E` | x | y |')).toEqual([
    { name: 'A_B', default: '5e7', apps: 'A E' },
    { name: 'C', default: '', apps: '' },
    { name: 'D_E', default: '', apps: '' }
  ])
  const values = ['30 000', '5e7', '7 days', '`cpu`', 'cores', '', 'required'].map(
    documentedDefault
  )
  const none = undefined
  expect(values).toEqual([30_000, 5e7, 604_800_000, 'cpu', none, none, none])
})
