import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { writeTinyModel } from '@likeness/vision/fixture/tiny-model'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { CommandContext } from '../src/command.ts'
import { runEval } from '../src/evaluation/run-eval.ts'

let folder: string
beforeEach(async () => {
  folder = temporaryFolder('detect')
  await writeTinyModel(join(folder, 'tiny'))
  await mkdir(join(folder, 'set/images'), { recursive: true })
  await mkdir(join(folder, 'set/labels'))
})

/**
 * An even picture with a dark square. The first box of the tiny model is [10, 10, 30, 30], and all
 * others have an IoU below .5 with it.
 */
const drawPicture = async (name: string): Promise<void> =>
  void (await sharp({ create: { width: 64, height: 64, channels: 3, background: '#727272' } })
    .composite([
      {
        input: { create: { width: 16, height: 16, channels: 3, background: 'black' } },
        left: 16,
        top: 16
      }
    ])
    .png()
    .toFile(join(folder, 'set', name)))

async function detect(
  ...args: string[]
): Promise<{ code: number; lines: string[]; said: string[] }> {
  const [lines, said]: [string[], string[]] = [[], []]
  const context = {
    prepare: () => Promise.resolve(),
    print: (text: string) => lines.push(text),
    say: (text: string) => said.push(text),
    write: () => undefined,
    isTerminal: false,
    nowMs: () => 0
  } as unknown as CommandContext
  const code = await runEval(
    ['--detect', join(folder, 'set'), '--model', join(folder, 'tiny'), '--data', folder, ...args],
    context
  )
  return { code, lines, said }
}
const figuresOf = ({ lines }: { lines: string[] }): unknown => JSON.parse(lines.at(-1)!)

test('boxes of a YOLO data set are compared with those of the model, with a gate on the recall', async () => {
  await drawPicture('images/seen.png')
  await drawPicture('images/unlabelled.png')
  await writeFile(
    join(folder, 'set/labels/seen.txt'),
    '0 0.3125 0.3125 0.3125 0.3125\n3 0.8 0.8 0.4 0.4\n'
  )
  const seen = await detect('--json', '--min-recall', '0.5')
  expect(figuresOf(seen)).toMatchObject({
    pictures: 1,
    things: 2,
    recall: 0.5,
    recallOver5: 0.5,
    largestFound: 0,
    bestBoxReal: 1
  })
  expect(seen.code).toBe(0)
  const refused = await detect('--min-recall', '0.6')
  expect(refused.code).toBe(1)
  expect(refused.lines.at(-1)).toBe('the recall is below 0.6')
})

test('lines of labels.csv are the things of a picture; --max-objects and --threshold reach the model', async () => {
  await drawPicture('a.png')
  await writeFile(
    join(folder, 'set/labels.csv'),
    'path,label,role,bbox_xyxy,extra\na.png,x,query,20|10|40|30,\na.png,y,gallery,11|11|30|30,\na.png,z,gallery,,\n'
  )
  expect(figuresOf(await detect('--json', '--max-objects', '1'))).toMatchObject({
    pictures: 1,
    things: 2,
    recall: 0.5
  })
  expect(figuresOf(await detect('--json'))).toMatchObject({ recall: 1 })
  expect(figuresOf(await detect('--json', '--threshold', '1'))).toMatchObject({ recall: 0 })
})

test('with --tiles things are looked for in enlarged parts too, and each is found once', async () => {
  await drawPicture('a.png')
  await writeFile(
    join(folder, 'set/labels.csv'),
    'path,label,role,bbox_xyxy,extra\na.png,x,query,10|10|30|30,\na.png,y,query,17|17|31|31,\n'
  )
  const found = async (...args: string[]) =>
    figuresOf(await detect('--json', '--threshold', '0.9', ...args)) as { recall: number }
  expect((await found()).recall).toBe(0.5)
  expect((await found('--tiles', '2', '--max-objects', '100')).recall).toBe(1)
  await expect(detect('--tiles', '1,9')).rejects.toThrow('--tiles 1,9')
})

test('a picture that cannot be read is left out aloud, and a folder without boxes is refused', async () => {
  await writeFile(join(folder, 'set/images/broken.png'), 'no picture')
  await expect(detect()).rejects.toThrow('there are no boxes in it')
  await writeFile(join(folder, 'set/labels/broken.txt'), '0 0.5 0.5 0.5 0.5\n')
  const { code, said } = await detect('--json')
  expect(code).toBe(1)
  expect(said).toEqual([expect.stringContaining('images/broken.png is left out')])
})
