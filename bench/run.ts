// `npm run bench -- NAME [arguments]`: runs a measurement.

const benches: Record<string, () => Promise<unknown>> = {
  age: () => import('./age/main.ts'),
  ann: () => import('./ann/main.ts'),
  backlog: () => import('./backlog.ts'),
  batch: () => import('./batch.ts'),
  bulk: () => import('./bulk/main.ts'),
  choose: () => import('./choose/main.ts'),
  commit: () => import('./commit.ts'),
  engine: () => import('./engine/main.ts'),
  examples: () => import('./examples.ts'),
  idle: () => import('./idle.ts'),
  ingest: () => import('./ingest.ts'),
  kernels: () => import('./kernels.ts'),
  latency: () => import('./latency/main.ts'),
  livez: () => import('./livez.ts'),
  merge: () => import('./merge.ts'),
  models: () => import('./models.ts'),
  rebuild: () => import('./rebuild.ts'),
  owner: () => import('./owner/main.ts'),
  'replica-start': () => import('./replica-start/main.ts'),
  reproject: () => import('./reproject.ts'),
  scale: () => import('./scale/main.ts'),
  shelves: () => import('./shelves.ts'),
  unknown: () => import('./unknown.ts')
}
const name = process.argv[2] ?? ''
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join('|')} [arguments]\n`)
  process.exit(2)
}
process.argv.splice(2, 1)
await bench()
