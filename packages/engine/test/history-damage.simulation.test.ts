// Every file of a folded history, altered, cut and gone, one at a time. Verify names it. A rebuild
// gives what was there before, or refuses, names a file, and deletes nothing. A fold refuses, or makes
// the history whole again.
import { expect, test } from 'vitest'
import { isAppError } from '@likeness/shared/errors'
import { itemsFrom } from '../src/testing/test-items.ts'
import {
  deleteAll,
  fill,
  foldTwice,
  gallery,
  look,
  open,
  problems,
  reopen,
  settle,
  writer
} from './folded-gallery.ts'

type Content = ReadonlyMap<string, Buffer>

async function contentOf(): Promise<Content> {
  const content = new Map<string, Buffer>()
  for (const key of await gallery.storedKeys(''))
    content.set(key, Buffer.from((await gallery.store.get(key))!.body))
  return content
}
async function putBack(content: Content): Promise<void> {
  const { store } = gallery
  await store.delete((await gallery.storedKeys('')).filter((key) => !content.has(key)))
  for (const [key, body] of content) await store.put(key, body)
}

const damages: Record<string, (body: Buffer) => Buffer | undefined> = {
  altered: (body) => {
    const copy = Buffer.from(body)
    copy[copy.length >> 1]! ^= 4
    return copy
  },
  cut: (body) => body.subarray(0, -20),
  gone: () => undefined
}

/** Returns what is wrong, or undefined. `act`: rejects, or leaves the content that is expected. */
async function refusesOrIsRight(
  content: Content,
  damagedKey: string,
  act: () => Promise<unknown>
): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (!isAppError(error, 'data_corrupt') && !isAppError(error, 'object_not_found'))
      return `fails with ${String(error)}`
    if (!error.message.includes('/')) return `does not name a file: ${error.message}`
    const stored = new Set(await gallery.storedKeys(''))
    const lost = [...content.keys()].filter((key) => key !== damagedKey && !stored.has(key))
    return lost.length === 0 ? undefined : `has deleted ${lost.join()}`
  }
}

test('a file of the history that is altered, cut or gone is named, and nothing wrong comes of it', async () => {
  await open({ pictures: true, stateShape: {}, merging: { packBytes: 4_000 } })
  await gallery.add(writer, itemsFrom(500, 4))
  await gallery.operate({ kind: 'take_snapshot', name: 'before' })
  await gallery.accept([{ id: 'open' }], { inline: true })
  await settle()
  await foldTwice()
  await fill(200)
  const content = await contentOf()
  const expected = await look()
  expect(await problems()).toEqual([])
  const { packPrefix, basePrefix, sidePrefix } = gallery.keys
  const files = [...content.keys()].filter((key) =>
    [packPrefix, basePrefix, sidePrefix].some((prefix) => key.startsWith(prefix))
  )
  const kinds = new Set(files.map((key) => key.replace(/^.*\./, '')))
  expect([...kinds].sort()).toEqual(
    expect.arrayContaining(
      ['arrivals', 'dead', 'directory', 'items', 'labels', 'lines'].concat(
        'operations',
        'pictures',
        'raw'
      )
    )
  )
  const wrong: string[] = []
  const counts = { rebuilt: 0, folded: 0 }
  for (const key of files)
    for (const [how, damage] of Object.entries(damages)) {
      const note = (what: string | undefined): void => {
        if (what !== undefined) wrong.push(`${how} ${key}: ${what}`)
      }
      const inflict = async (): Promise<void> => {
        await putBack(content)
        const damaged = damage(content.get(key)!)
        if (damaged === undefined) await gallery.store.delete([key])
        else await gallery.store.put(key, damaged)
      }
      /** What is folded is deleted. Then the rest makes the collection again. */
      const isWholeWithout = async (): Promise<string | undefined> => {
        try {
          await deleteAll()
          await isRight()
          await reopen(() => gallery.rebuild())
          await isRight()
          return undefined
        } catch (error) {
          return `after a fold: ${String(error)}`
        }
      }
      await inflict()
      const isNamed = (await problems()).some((problem) => problem.key === key)
      // A list of dead pictures goes with them.
      if (!isNamed && !(how === 'gone' && key.endsWith('.dead'))) note('verify does not name it')
      const isRight = async (): Promise<void> => expect(await look()).toEqual(expected)
      note(
        await refusesOrIsRight(content, key, async () => {
          await reopen(() => gallery.rebuild())
          await isRight()
          counts.rebuilt++
        })
      )
      await inflict()
      note(
        await refusesOrIsRight(content, key, async () => {
          await reopen(() => gallery.openWriter())
          if (!(await writer.fold())) return
          counts.folded++
          note(await isWholeWithout())
        })
      )
    }
  console.log(`${files.length} files: ${JSON.stringify(counts)} of ${3 * files.length}`)
  expect(wrong).toEqual([])
  expect(Math.min(counts.rebuilt, counts.folded)).toBeGreaterThan(files.length)
})
