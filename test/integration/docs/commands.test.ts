// Runs every `sh` command of the documentation without changes, page by page. One stack, started
// like in the README, serves all pages.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandsIn } from '../../support/docs/code-blocks.ts'
import { type DocumentedStack, startDocumentedStack } from '../../support/docs/documented-stack.ts'
import { readPages } from '../../support/docs/documents.ts'
import { elsewhere } from '../../support/docs/run-elsewhere.ts'
import { runPage } from '../../support/docs/run-page.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const pageDeadlineMs = 120_000
const pages = readPages()
  .map((page) => ({ ...page, commands: commandsIn(page, 'sh') }))
  .map(({ file, commands }) => ({
    file,
    commands: commands.filter((command) => elsewhere(command) === undefined)
  }))
  .filter(({ commands }) => commands.length > 0)
const folder = temporaryFolder('docs')
let stack: DocumentedStack

beforeAll(async () => {
  stack = await startDocumentedStack(folder)
})
afterAll(async () => {
  await stack?.stop()
})

test('npm run demo draws and imports its gallery, and npm start finds it there', () => {
  expect(stack.demoOutput).toMatch(/^1000 can be found, 0 failed/m)
  expect(stack.startOutput).toContain('the collection brand-marks is there with 1000 items')
})

test.each(pages)('every command of $file does what it should', async ({ commands }) => {
  const { env, rewrite } = stack
  const problem = await runPage({ commands, rewrite, env, folder, deadlineMs: pageDeadlineMs })
  if (problem !== undefined) expect.fail(problem)
})

test('a page ends at its first failing command, and the answer of the API is one', async () => {
  const at = (line: number, text: string) => ({ file: 'docs/none.md', line, text })
  const run = (...commands: ReturnType<typeof at>[]) =>
    runPage({ commands, rewrite: stack.rewrite, env: stack.env, folder, deadlineMs: 30_000 })
  const missing = 'curl -s localhost:8080/v1/collections/none'
  expect(await run(at(3, 'NAME=none'), at(5, 'test "$NAME" = none'))).toBeUndefined()
  expect(await run(at(3, 'echo fine'), at(5, 'false'), at(7, 'echo never'))).toMatch(
    /^docs\/none.md:5 ended with exit code 1\n\$ false\n$/
  )
  for (const asked of [missing, `${missing} | head -1`, `until ${missing} | grep x; do :; done`])
    expect(await run(at(9, asked))).toMatch(
      /^docs\/none.md:9 [^]*HTTP 404\n[^]*the answer is a problem/
    )
})
