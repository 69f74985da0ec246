// `node --import tsx scripts/docs/write-limits.ts`: writes docs/limits.md.
import { writeFileSync } from 'node:fs'
import { limitsPage } from './limits.ts'

writeFileSync(new URL('../../docs/limits.md', import.meta.url), limitsPage())
