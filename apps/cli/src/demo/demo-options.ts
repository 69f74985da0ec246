// The arguments of `likeness demo`, checked.
import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fromCallersFolder } from '../config.ts'
import { UserError } from '../user-error.ts'

export interface DemoOptions {
  /** The user's own pictures; sub-folder = label. */
  images: string | undefined
  /** One picture to search for instead of the drawn scenes. */
  query: string | undefined
  json: boolean
  /** The whole demo on an S3 server instead of a directory. */
  s3: boolean
  dataDir: string
  /** Where the contact sheet goes. */
  outDir: string
}

export const demoUsage = `npm run demo -- [options]
  --images DIR   your own pictures instead of the drawn brand marks; the sub-folder is the label
  --query FILE   search for this picture instead of the drawn scenes
  --json         last line: {"imported":n,"failed":n,"imagesPerSecond":x,"queries":n,"recallAt1":x,"recallAt5":x,"searchP50Ms":x}
  --s3           keep everything on an S3 server: the one of S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY, else a MinIO started for it
  --data DIR     data folder (default .likeness)
  --out DIR      folder of the contact sheet (default out/demo)`

/** UserError for unknown arguments, and for a folder or file that is not there. */
export function parseDemoOptions(args: readonly string[], { root, home }: { root: string; home: string }): DemoOptions {
  const { images, query, json, s3, data, out } = parse(args)
  const options: DemoOptions = {
    images: images === undefined ? undefined : fromCallersFolder(images),
    query: query === undefined ? undefined : fromCallersFolder(query),
    json,
    s3,
    dataDir: data === undefined ? home : fromCallersFolder(data),
    outDir: out === undefined ? `${root}out/demo` : fromCallersFolder(out)
  }
  if (options.images !== undefined && !isKind(options.images, 'isDirectory')) throw new UserError(`--images ${images}: there is no such folder`)
  if (options.query !== undefined && !isKind(options.query, 'isFile')) throw new UserError(`--query ${query}: there is no such file`)
  return options
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        images: { type: 'string' },
        query: { type: 'string' },
        json: { type: 'boolean', default: false },
        s3: { type: 'boolean', default: false },
        data: { type: 'string' },
        out: { type: 'string' }
      }
    })
    return values
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n${demoUsage}`)
  }
}

const isKind = (path: string, kind: 'isDirectory' | 'isFile'): boolean => statSync(path, { throwIfNoEntry: false })?.[kind]() ?? false
