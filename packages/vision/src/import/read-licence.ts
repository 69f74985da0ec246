// Finds the licence of a downloaded model, and whether it forbids trade.
import path from 'node:path'
import { readJsonObject, readSmallFile } from './read-small-file.ts'

/** First lines of licence texts, and their short names. */
const texts: readonly [RegExp, string][] = [
  [/apache license\s+version 2\.0/i, 'apache-2.0'],
  [/\bMIT License\b/i, 'mit'],
  [/attribution-noncommercial/i, 'cc-by-nc'],
  [/non-?commercial/i, 'non-commercial (LICENSE)'],
  [/BSD 3-Clause/i, 'bsd-3-clause']
]
/** Characters of a licence file that are looked at, and of a name that are kept. */
const [mostText, mostName] = [4000, 100]

/** Looks in `folders`, in order; null where none says anything. */
export async function readLicence(folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const found =
      ofFrontMatter(await readSmallFile(path.join(folder, 'README.md'))) ??
      (await ofConfig(path.join(folder, 'config.json'))) ??
      (await ofText(folder))
    if (found !== undefined) return found.slice(0, mostName)
  }
  return null
}

/** `license` of the YAML between the first two lines of dashes; `other` has a name beside it. */
function ofFrontMatter(text = ''): string | undefined {
  const [, front = ''] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text) ?? []
  const valueOf = (key: string): string | undefined =>
    new RegExp(`^${key}:[ \\t]*(?:\\r?\\n\\s*- )?["']?([^"'\\r\\n]+)`, 'm').exec(front)?.[1]?.trim()
  const licence = valueOf('license')
  return licence === 'other' ? (valueOf('license_name') ?? licence) : licence
}

async function ofConfig(file: string): Promise<string | undefined> {
  // A damaged config.json is told by whoever needs it.
  const entries = await readJsonObject(file).catch(() => undefined)
  const licence = entries?.['license']
  return typeof licence === 'string' && licence !== '' ? licence : undefined
}

async function ofText(folder: string): Promise<string | undefined> {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE']) {
    const text = (await readSmallFile(path.join(folder, name)))?.slice(0, mostText)
    const known = text && texts.find(([pattern]) => pattern.test(text))
    if (known) return known[1]
  }
  return undefined
}

/** Names of licences that forbid trade, or allow research alone. */
const closed = /(^|[-_ ])nc([-_ ]|$)|non-?commercial|amlr|research/i

/** A note for whoever imports it; undefined where nothing is to be said. */
export const licenceNote = (licence: string | null): string | undefined =>
  licence !== null && closed.test(licence)
    ? `its licence, ${licence}, does not allow commercial use`
    : undefined
