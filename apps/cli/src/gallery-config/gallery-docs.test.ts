import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { renderJsonSchema, withTables } from './gallery-docs.ts'

test('the documented keys and the schema for editors are those of the program', () => {
  const rewrite = 'run node --import tsx apps/cli/src/gallery-config/write-docs.ts'
  const docs = new URL('../../../../docs/', import.meta.url)
  const page = readFileSync(new URL('configuration.md', docs), 'utf8')
  expect(page, rewrite).toBe(withTables(page))
  expect(readFileSync(new URL('gallery.schema.json', docs), 'utf8'), rewrite).toBe(
    renderJsonSchema()
  )
})
