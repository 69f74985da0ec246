// node --import tsx project_with_likeness.mjs FOLDER < RAW: the vectors that the TypeScript code makes of raw vectors, as JSON.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { splitProjection } from '@likeness/shared/contract/projection'
import { applyProfile } from '@likeness/vision'

const folder = process.argv[2]
const { raw, profile } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
const bytes = new Uint8Array(await readFile(join(folder, profile.file)))
const projection = splitProjection(new Float32Array(bytes.buffer), { ...profile, raw_dim: raw.dim })
const rows = Float32Array.from(JSON.parse(await text(process.stdin)))
process.stdout.write(JSON.stringify(Array.from(await applyProfile(rows, projection))))
