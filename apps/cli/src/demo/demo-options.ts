// The arguments of `likeness demo`, checked.
import { existing, parseCommand } from '../command-options.ts'
import { fromCallersFolder } from '../config.ts'

export interface DemoOptions {
  /** Folder of the user's own pictures; sub-folder = label. */
  images: string | undefined
  /** A picture to search for instead of the drawn scenes. */
  query: string | undefined
  json: boolean
  /** Runs the whole demo on an S3 server instead of a directory. */
  s3: boolean
  dataDir: string
  /** Folder of the contact sheet. */
  outDir: string
}

const demoUsage = `npm run demo -- [options]
  --images DIR   your own pictures instead of the drawn brand marks; the sub-folder is the label
  --query FILE   search for this picture instead of the drawn scenes
  --json         last line: {"imported":n,"failed":n,"imagesPerSecond":x,"queries":n,"recallAt1":x,"recallAt5":x,"searchP50Ms":x}
  --s3           keep everything on an S3 server: the one of S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, else one started for it
  --data DIR     data folder (default .likeness)
  --out DIR      folder of the contact sheet (default out/demo)`

const options = {
  images: { type: 'string' },
  query: { type: 'string' },
  json: { type: 'boolean', default: false },
  s3: { type: 'boolean', default: false },
  data: { type: 'string' },
  out: { type: 'string' }
} as const

/** UserError for unknown arguments, and for a folder or file that does not exist. */
export function parseDemoOptions(
  args: readonly string[],
  { root, home }: { root: string; home: string }
): DemoOptions {
  const { images, query, json, s3, data, out } = parseCommand(args, {
    options,
    usage: demoUsage
  }).values
  return {
    images: images === undefined ? undefined : existing(images, 'folder', '--images '),
    query: query === undefined ? undefined : existing(query, 'file', '--query '),
    json,
    s3,
    dataDir: data === undefined ? home : fromCallersFolder(data),
    outDir: out === undefined ? `${root}out/demo` : fromCallersFolder(out)
  }
}
