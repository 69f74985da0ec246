// The arguments of `likeness calibrate`, checked.
import { dirname } from 'node:path'
import {
  connectOptions,
  connectUsage,
  existing,
  oneCollection,
  parseCommand,
  parseShare
} from '../command-options.ts'
import { fromCallersFolder } from '../config.ts'
import { UserError } from '../user-error.ts'

const usage = `likeness calibrate COLLECTION [options]      how often strangers are taken for known things, at which score_thres
  without --labels: items of the gallery are asked, with themselves and then with their whole label left out
  --labels FILE      pictures that are asked instead, and never added: path<TAB>label, as the list of a gallery, or labels.csv;
                     label none: a thing that the gallery does not have
  --root DIR         folder of these pictures (default: that of FILE)
  --false-accept R   the threshold that at most R of the strangers pass (default: the one that keeps right answers apart best)
  --apply            the collection uses it, while its embedding, its weights and about its size stay the same
  --svg FILE         how sure answers were and how often right, and strangers accepted against right answers refused
  --json             last line: {"collection","source","asked","strangers","score_thres","falseAccept","falseReject","ece","curve","failed","applied"}
  exit code 1 when a picture could not be asked
${connectUsage}`

export interface CalibrateOptions {
  collection: string
  labels: { file: string; root: string } | undefined
  falseAccept: number | undefined
  apply: boolean
  svg: string | undefined
  json: boolean
  api: string | undefined
  data: string | undefined
}

export function parseCalibrateOptions(args: readonly string[]): CalibrateOptions {
  const { values, positionals } = parseCommand(args, {
    options: {
      ...connectOptions,
      labels: { type: 'string' },
      root: { type: 'string' },
      'false-accept': { type: 'string' },
      apply: { type: 'boolean', default: false },
      svg: { type: 'string' },
      json: { type: 'boolean', default: false }
    },
    usage,
    positionals: true
  })
  const collection = oneCollection(positionals, usage)
  const { labels, root, apply, svg, json, api, data } = values
  if (root !== undefined && labels === undefined)
    throw new UserError(`--root is the folder of the pictures of --labels\n${usage}`)
  return {
    collection,
    labels: labels === undefined ? undefined : labelsOf(labels, root),
    falseAccept: parseShare('--false-accept', values['false-accept']),
    apply,
    svg: svg === undefined ? undefined : fromCallersFolder(svg),
    json,
    api,
    data
  }
}

function labelsOf(labels: string, root: string | undefined): { file: string; root: string } {
  const file = existing(labels, 'file', '--labels ')
  return { file, root: root === undefined ? dirname(file) : existing(root, 'folder', '--root ') }
}
