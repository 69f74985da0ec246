// Asks a collection for labelled pictures, which are searched for and never added. A picture that
// cannot be asked is counted and named, and the others go on.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Filter } from '@likeness/shared/contract/filter'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { whyOutside } from '@likeness/shared/data/picture-path'
import type { ApiClient } from '../api/api-client.ts'
import { ApiProblem } from '../api/api-problem.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { askTwice } from '../evaluation/ask-twice.ts'
import type { RankedAnswer, RankedHit } from '../evaluation/ranked-figures.ts'
import { defaultKind, labelsOf } from '../examples/example-query.ts'
import { type GalleryScores, noThreshold, type PictureScores } from '../examples/gallery-scores.ts'
import { readLabels } from '../examples/labels-table.ts'
import { readDataList } from '../gallery-config/data-list.ts'
import { pictureFinder } from '../gallery-config/find-picture.ts'
import { addScores } from './ask-gallery.ts'

const hitsAsked = 100

interface LabelledPicture {
  path: string
  /** Empty: a thing that the gallery does not have. */
  labels: string[]
}
export interface FailedPicture {
  path: string
  code: string
  message: string
}
interface Labelled {
  api: ApiClient
  collection: string
  labels: { file: string; root: string }
  onProgress: (done: number, total: number) => void
}
export interface LabelledAnswers {
  scores: GalleryScores
  answers: RankedAnswer[]
  failed: FailedPicture[]
}

/** UserError for a list that cannot be read at all. */
export async function askLabelled({
  api,
  collection,
  labels: { file, root },
  onProgress
}: Labelled): Promise<LabelledAnswers> {
  const { pictures, failed } = file.endsWith('.csv')
    ? await readTable(file, root)
    : await readList(file, root)
  const known: GalleryScores = { same: [], stranger: [], right: [] }
  const strangers: number[] = []
  const answers: RankedAnswer[] = []
  for (const [i, { path, labels }] of pictures.entries()) {
    try {
      const image = await readFile(join(root, path))
      const { ranked, stranger } = await askTwice(
        (exclude) => search({ api, collection }, image, exclude),
        { labels, kind: defaultKind(labels), asksStranger: true }
      )
      answers.push(ranked)
      if (stranger === undefined) strangers.push(standingOfFirst(ranked))
      else {
        answers.push(stranger)
        addScores(known, scoresOf(ranked, stranger))
      }
    } catch (error) {
      failed.push(failureOf(path, error))
    }
    onProgress(i + 1, pictures.length)
  }
  // Without real strangers the known pictures play them, each without its label.
  const scores = strangers.length > 0 ? { ...known, stranger: strangers } : known
  return { scores, answers, failed }
}

const search = (
  { api, collection }: Pick<Labelled, 'api' | 'collection'>,
  image: Uint8Array,
  exclude: Filter | undefined
): Promise<SearchAnswer> =>
  keepTrying(() =>
    api.search(collection, image, {
      k: hitsAsked,
      score_thres: noThreshold,
      ...(exclude && { exclude })
    })
  )

/** One that finds nothing is refused at any threshold. */
const standingOfFirst = ({ hits: [first] }: RankedAnswer): number => first?.score ?? noThreshold

function scoresOf({ hits, labels }: RankedAnswer, stranger: RankedAnswer): PictureScores {
  const isOwn = ({ label }: RankedHit): boolean => label !== null && labels.includes(label)
  return {
    same: hits.find(isOwn)?.score,
    stranger: standingOfFirst(stranger),
    isRight: hits[0] !== undefined && isOwn(hits[0])
  }
}

/** Rethrows what is not the fault of one picture. */
function failureOf(path: string, error: unknown): FailedPicture {
  if (error instanceof ApiProblem && error.status < 500 && error.code !== 'collection_not_found')
    return { path, code: error.code, message: error.message }
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall !== undefined && code !== undefined)
    return { path, code: 'not_readable', message: (error as Error).message }
  throw error
}

interface Listed {
  pictures: LabelledPicture[]
  failed: FailedPicture[]
}

async function readList(file: string, root: string): Promise<Listed> {
  const listed: Listed = { pictures: [], failed: [] }
  const config = { file, dataFile: file, delimiter: undefined, fields: [], imageRoot: root }
  for await (const { path, label, failure } of readDataList(config)) {
    if (failure !== undefined) listed.failed.push({ path, ...failure })
    else listed.pictures.push({ path, labels: labelsOf(label!) })
  }
  return listed
}

/** Lines with the role `query`; all where no line has it. */
async function readTable(file: string, root: string): Promise<Listed> {
  const lines = await readLabels(file)
  const queries = lines.filter(({ role }) => role === 'query')
  const find = await pictureFinder(root)
  const listed: Listed = { pictures: [], failed: [] }
  for (const { path, label } of queries.length === 0 ? lines : queries) {
    const found = await find(path)
    if (found === undefined)
      listed.failed.push({
        path,
        code: 'path_outside_root',
        message: whyOutside(path, 'the folder')
      })
    else listed.pictures.push({ path: found, labels: labelsOf(label) })
  }
  return listed
}
