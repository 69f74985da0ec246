// `npm run crash -- [--kills N] [--items M] [--store dir|s3] [--seed S] [--json]`: kills processes
// in the middle of imports and counts the losses. See README.md.
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { startS3Server } from '../support/s3-server.ts'
import { runCrash } from './run-crash.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    items: { type: 'string', default: '5000' },
    store: { type: 'string', default: 'dir' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false }
  }
})
const number = z.coerce.number().int().min(1)
const settings = z
  .object({
    kills: number,
    items: number,
    store: z.enum(['dir', 's3']),
    seed: number.default(() => Date.now() % 1_000_000_000),
    json: z.boolean()
  })
  .parse(values)
const { kills, items, seed } = settings
const server = settings.store === 's3' ? await startS3Server() : undefined
console.log(
  `seed ${seed}: again with --kills ${kills} --items ${items} --store ${settings.store} --seed ${seed}`
)
try {
  const objectStore = server && {
    endpoint: server.endpoint,
    accessKey: server.accessKey,
    secretKey: server.secretKey,
    bucket: 'likeness-crash'
  }
  const {
    lost,
    duplicated,
    resurrected,
    recoveryP99S,
    struck,
    notRun,
    problems,
    keptIn,
    ...counts
  } = await runCrash({ kills, items, seed, objectStore, say: (line) => console.log(line) })
  const line = (name: string, met: string | number, missed: string | number): string =>
    `${name.padEnd(20)} ${String(met).padStart(8)} ${String(missed).padStart(8)}\n`
  process.stderr.write(
    line('blow', 'met work', 'missed') +
      Object.entries(struck)
        .sort()
        .map(([name, { met, missed }]) => line(name, met, missed))
        .join('')
  )
  for (const blow of notRun) process.stderr.write(`NOT RUN  ${blow}\n`)
  for (const problem of problems) console.log(problem)
  if (keptIn !== undefined) console.log(`data, logs and timeline are in ${keptIn}`)
  if (settings.json)
    console.log(
      JSON.stringify({
        kills: counts.kills,
        items: counts.items,
        lost,
        duplicated,
        resurrected,
        recoveryP99S
      })
    )
  process.exitCode = lost + duplicated + resurrected === 0 ? 0 : 1
} finally {
  await server?.stop()
}
