// Imports point one way (docs/architecture.md): checked over every import of every source file.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const packages = ['shared', 'store', 'faiss', 'engine', 'vision', 'drawing']
const allowed: Record<string, readonly string[]> = {
  'packages/shared': [],
  'packages/store': ['shared'],
  'packages/faiss': ['shared'],
  'packages/engine': ['faiss', 'shared', 'store'],
  'packages/vision': ['faiss', 'shared'],
  'packages/drawing': ['shared'],
  'apps/api': ['engine', 'shared', 'store'],
  'apps/index-worker': ['engine', 'shared', 'store'],
  'apps/embed-worker': ['vision', 'shared', 'store'],
  'apps/cli': packages
}
const importPattern =
  /(?:\bfrom\s*|\bimport\s*\(?\s*|\bimport\.meta\.resolve\(\s*)(['"])([^'"\n]+)\1/g

/** What is wrong with one import of a file in `workspace`; undefined when it may stay. */
function findFault(workspace: string, file: string, target: string): string | undefined {
  const own = workspace.split('/')[1]!
  const ours = /^@likeness\/([^/]+)/.exec(target)?.[1]
  if (ours !== undefined)
    return ours === own || allowed[workspace]!.includes(ours)
      ? undefined
      : `${file} imports ${target}`
  if (!target.startsWith('.')) return undefined
  const inside = relative(join(root, workspace), join(root, dirname(file), target))
  return inside.startsWith('..') ? `${file} imports ${target}, outside its workspace` : undefined
}

const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(importPattern)].map((match) => match[2]!)
const isProduct = (file: string): boolean =>
  file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/test-support/')

test('every package and app imports only what the direction of imports allows', () => {
  const faults: string[] = []
  let imports = 0
  for (const workspace of Object.keys(allowed)) {
    for (const found of readdirSync(join(root, workspace, 'src'), {
      recursive: true,
      encoding: 'utf8'
    })) {
      const file = `${workspace}/src/${found.split(sep).join('/')}`
      if (!isProduct(file)) continue
      for (const target of importsOf(file)) {
        imports++
        const fault = findFault(workspace, file, target)
        if (fault !== undefined) faults.push(fault)
      }
    }
  }
  expect(imports).toBeGreaterThan(50)
  expect(faults).toEqual([])
})

test('an import against the direction is found', () => {
  expect(findFault('packages/shared', 'packages/shared/src/a.ts', '@likeness/engine')).toMatch(
    /imports @likeness\/engine/
  )
  expect(findFault('apps/api', 'apps/api/src/a.ts', '@likeness/vision/embedder')).toBeDefined()
  expect(findFault('apps/api', 'apps/api/src/a.ts', '@likeness/cli/main')).toBeDefined()
  expect(
    findFault('apps/api', 'apps/api/src/routes/a.ts', '../../../embed-worker/src/main.ts')
  ).toMatch(/outside/)
  expect(findFault('apps/api', 'apps/api/src/routes/a.ts', '../app.ts')).toBeUndefined()
  expect(findFault('apps/cli', 'apps/cli/src/a.ts', '@likeness/vision')).toBeUndefined()
})
