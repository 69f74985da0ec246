import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../setup/report.mjs'
import { promises } from './promises.mjs'
import { vitestProjects } from './stages.mjs'

/** `FILE: NAME` of every test in a group's files, as vitest reads them. */
function testsOf(group, files) {
  const vitest = join(repositoryRoot, 'node_modules/.bin/vitest')
  const args = ['list', '--json', '--project', group, ...files]
  const listed = JSON.parse(execFileSync(vitest, args, { cwd: repositoryRoot, encoding: 'utf8' }))
  return listed.map(({ file, name }) => `${relative(repositoryRoot, file)}: ${name}`)
}

test('every test that shows a promise exists', () => {
  for (const group of new Set(promises.map((shown) => shown.group))) {
    const shown = promises.filter((one) => one.group === group)
    const found = testsOf(group, [...new Set(shown.map(({ file }) => file))])
    for (const { file, test: name } of shown) expect(found).toContain(`${file}: ${name}`)
  }
  expect(vitestProjects).toEqual(expect.arrayContaining(promises.map(({ group }) => group)))
})

test('every promise of the README is shown', () => {
  const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8')
  const made = new Set([...readme.matchAll(/^\| (P\d) +\|/gm)].map(([, name]) => name))
  expect(made.size).toBeGreaterThanOrEqual(6)
  expect([...new Set(promises.flatMap(({ shows }) => shows))].sort()).toEqual([...made].sort())
})
