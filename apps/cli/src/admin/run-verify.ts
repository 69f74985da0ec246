// `likeness verify`: checks a collection's files in the object store against the manifest. Needs no
// running stack and changes no file.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@likeness/shared/process/clock'
import { openConfiguredStore } from '@likeness/store/configured-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { parseCommand } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { fromCallersFolder, storeFromEnvironment } from '../config.ts'
import { stackDir } from '../connect/connect.ts'
import { loadSearchedGallery } from '../gallery-config/load-gallery-config.ts'
import { UserError } from '../user-error.ts'

const usage = `likeness verify [-c FILE.yaml | --collection NAME] [options]      all collections unless one is named
  --data DIR     data folder (default $LIKENESS_HOME, else .likeness in the repository)
  --store URL    another object store: s3://bucket[/prefix] with S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY, or dir:/path
  --json`

/** Exit code 0 when every file matches the manifest; 1 when a file differs. */
export async function runVerify(args: readonly string[], context: CommandContext): Promise<number> {
  const { values } = parseCommand(args, {
    options: {
      config: { type: 'string', short: 'c' },
      override: { type: 'string', short: 'o', multiple: true, default: [] as string[] },
      collection: { type: 'string' },
      data: { type: 'string' },
      store: { type: 'string' },
      json: { type: 'boolean', default: false }
    },
    usage
  })
  const name =
    values.config === undefined
      ? values.collection
      : (
          await loadSearchedGallery(fromCallersFolder(values.config), {
            overrides: values.override
          })
        ).collection
  const objects = join(stackDir(values.data), 'objects')
  if (values.store === undefined && !existsSync(objects))
    throw new UserError(`${objects} does not exist: nothing was ever stored there`)
  await context.prepare()
  const { createCatalog } = await import('@likeness/engine')
  const store = await openConfiguredStore(storeFromEnvironment(values.store ?? `dir:${objects}`))
  context.lifecycle.onStop('object store', () => store.close())
  const catalog = createCatalog({ store, clock: systemClock })
  const specs = (await catalog.list({ fresh: true })).filter(
    (spec) => name === undefined || spec.name === name
  )
  if (name !== undefined && specs.length === 0)
    throw new UserError(`the store has no collection ${name}`)
  let problems = 0
  for (const spec of specs) problems += await verifyOne(store, spec, values.json, context)
  if (specs.length === 0) context.print('no collections')
  return problems === 0 ? 0 : 1
}

async function verifyOne(
  store: ObjectStore,
  spec: { name: string; collectionId: string },
  json: boolean,
  { print }: CommandContext
): Promise<number> {
  const scratchDir = await mkdtemp(join(tmpdir(), 'likeness-verify-'))
  try {
    const { verifyCollection } = await import('@likeness/engine')
    const report = await verifyCollection({ store, collectionId: spec.collectionId, scratchDir })
    if (json) print(JSON.stringify({ collection: spec.name, ...report }))
    else {
      print(
        `${spec.name}: seq ${report.seq}, ${report.files} files, ${report.bytes} bytes: ${report.problems.length === 0 ? 'as the manifest says' : `${report.problems.length} PROBLEMS`}`
      )
      for (const { code, key, message } of report.problems) print(`  ${code}: ${key}: ${message}`)
    }
    return report.problems.length
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}
