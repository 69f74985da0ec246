// Every command, loaded when called. Commands that load much have their arguments checked first.
import type { Command } from './command.ts'
import { dataHome } from './config.ts'
import { repositoryRoot } from './stack/app-process.ts'

/** Rejects for wrong arguments, and when the user only asks for help. */
type Check = (args: readonly string[]) => Promise<unknown>

const lazy =
  (load: () => Promise<Command>, check?: Check): Command =>
  async (args, context) => {
    await check?.(args)
    return (await load())(args, context)
  }

const gallery = () => import('./gallery/run-build.ts')
const status = () => import('./admin/run-status.ts')
const up = () => import('./serve/run-up.ts')

const checkEval: Check = async (args) =>
  args.includes('--detect')
    ? (await import('./evaluation/detect-options.ts')).parseDetectOptions(args)
    : (await import('./evaluation/eval-options.ts')).parseEvalOptions(args)
const checkCalibrate: Check = async (args) =>
  (await import('./calibrate/calibrate-options.ts')).parseCalibrateOptions(args)
const checkExample: Check = async (args) =>
  (await import('./examples/example-options.ts')).parseExampleOptions(args)
const checkDemo: Check = async (args) => {
  const { parseDemoOptions } = await import('./demo/demo-options.ts')
  parseDemoOptions(args, { root: repositoryRoot, home: dataHome() })
}
const checkStart: Check = async (args) => {
  const { parseServe, startUsage } = await import('./serve/run-serve.ts')
  await parseServe(args, startUsage)
}

export const commands: Record<string, Command> = {
  build: lazy(async () => (await gallery()).runBuild),
  append: lazy(async () => (await gallery()).runAppend),
  remove: lazy(async () => (await gallery()).runRemove),
  search: lazy(async () => (await import('./search/run-search.ts')).runSearch),
  export: lazy(async () => (await import('./export/run-export.ts')).runExport),
  'import-gallery': lazy(
    async () => (await import('./import-gallery/run-import-gallery.ts')).runImportGallery
  ),
  up: lazy(async () => (await up()).runUp),
  down: lazy(async () => (await up()).runDown),
  serve: lazy(async () => (await import('./serve/run-serve.ts')).runServe),
  status: lazy(async () => (await status()).runStatus),
  jobs: lazy(async () => (await status()).runJobs),
  eval: lazy(async () => (await import('./evaluation/run-eval.ts')).runEval, checkEval),
  model: lazy(async () => (await import('./model/run-model.ts')).runModel),
  profile: lazy(async () => (await import('./profile/run-profile.ts')).runProfile),
  tune: lazy(async () => (await import('./tune/run-tune.ts')).runTune),
  plan: lazy(async () => (await import('./plan/run-plan.ts')).runPlan),
  calibrate: lazy(
    async () => (await import('./calibrate/run-calibrate.ts')).runCalibrate,
    checkCalibrate
  ),
  doctor: lazy(async () => (await import('./doctor/run-doctor.ts')).runDoctor),
  verify: lazy(async () => (await import('./admin/run-verify.ts')).runVerify),
  rebuild: lazy(async () => (await import('./admin/run-rebuild.ts')).runRebuild),
  alias: lazy(async () => (await import('./admin/run-alias.ts')).runAlias),
  demo: lazy(async () => (await import('./demo/run-demo.ts')).runDemo, checkDemo),
  example: lazy(async () => (await import('./examples/run-example.ts')).runExample, checkExample),
  start: lazy(async () => (await import('./serve/run-start.ts')).runStart, checkStart)
}
