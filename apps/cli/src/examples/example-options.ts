// The arguments of `likeness example`, checked.
import { connectOptions, connectUsage, existing, parseCommand } from '../command-options.ts'
import { fromCallersFolder } from '../config.ts'
import { UserError } from '../user-error.ts'

export const exampleNames = ['product', 'vehicle', 'logo'] as const
export type ExampleName = (typeof exampleNames)[number]

export const exampleUsage = `likeness example ${exampleNames.join('|')} [options]
  --images DIR    your own pictures instead of the drawn ones: gallery.txt and queries.txt where they lie there, else the
                  sub-folder is the label and every fourth picture of a label is asked
  --labels FILE   a table path,label,role,bbox_xyxy,extra beside your pictures
  --roles A,B     which of its lines (default gallery,query): gallery, gallery_iconic, query
  --threshold     says which score_thres the gallery's own pictures speak for, and asks nothing
  --sheet FILE    an HTML page with the boxes and the hits
  --force         builds the gallery anew
  -o A.B=v        overrides a value of the example's yaml; may be given several times
  --json          last line: {"example":s,"gallery":n,"queries":n,"r1":x,"r5":x,"falseAccept":x,"falseReject":x,"msPerQuery":x}
${connectUsage}`

export interface ExampleOptions {
  example: ExampleName
  images: string | undefined
  labels: string | undefined
  roles: string[]
  threshold: boolean
  sheet: string | undefined
  force: boolean
  json: boolean
  override: string[]
  api: string | undefined
  data: string | undefined
}

/** UserError for unknown arguments, and for a folder or file that does not exist. */
export function parseExampleOptions(args: readonly string[]): ExampleOptions {
  const { values, positionals } = parseCommand(args, {
    options: {
      ...connectOptions,
      images: { type: 'string' },
      labels: { type: 'string' },
      roles: { type: 'string', default: 'gallery,query' },
      threshold: { type: 'boolean', default: false },
      sheet: { type: 'string' },
      force: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      override: { type: 'string', short: 'o', multiple: true, default: [] }
    },
    usage: exampleUsage,
    positionals: true
  })
  const [name = '', ...others] = positionals
  const example = exampleNames.find((known) => known === name)
  if (example === undefined || others.length > 0)
    throw new UserError(
      `${positionals.join(' ') || 'nothing'} is not one of ${exampleNames.join(', ')}\n${exampleUsage}`
    )
  if (values.images !== undefined && values.labels !== undefined)
    throw new UserError('give either --images or --labels')
  return {
    ...values,
    example,
    api: values.api,
    data: values.data,
    images:
      values.images === undefined ? undefined : existing(values.images, 'folder', '--images '),
    labels: values.labels === undefined ? undefined : existing(values.labels, 'file', '--labels '),
    roles: values.roles.split(',').map((role) => role.trim()),
    sheet: values.sheet === undefined ? undefined : fromCallersFolder(values.sheet)
  }
}
