// `node --import tsx apps/cli/src/gallery-config/write-docs.ts`: updates docs/configuration.md and
// docs/gallery.schema.json from the schema.
import { readFileSync, writeFileSync } from 'node:fs'
import { renderJsonSchema, withTables } from './gallery-docs.ts'

const docs = new URL('../../../../docs/', import.meta.url)
const tables = new URL('configuration.md', docs)
writeFileSync(tables, withTables(readFileSync(tables, 'utf8')))
writeFileSync(new URL('gallery.schema.json', docs), renderJsonSchema())
