import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { openLabelled } from '../src/examples/labelled-pictures.ts'
import { UserError } from '../src/user-error.ts'

let folder: string
beforeEach(async () => {
  folder = temporaryFolder('boxes')
  for (const name of ['a.png', 'b.png'])
    await sharp({ create: { width: 60, height: 40, channels: 3, background: 'red' } })
      .png()
      .toFile(join(folder, name))
})

async function open(box: string): Promise<string[]> {
  const file = join(folder, 'labels.csv')
  await writeFile(
    file,
    `path,label,role,bbox_xyxy,extra\na.png,red,gallery,${box},\nb.png,red,query,,\n`
  )
  const said: string[] = []
  await openLabelled({
    file,
    roles: ['gallery', 'query'],
    workDir: join(folder, 'work'),
    say: (text) => said.push(text)
  })
  return said
}

test('a table with normalised boxes is refused with a hint', async () => {
  const error: unknown = await open('0.1|0.2|0.5|0.9').then(
    () => 'taken',
    (failed: unknown) => failed
  )
  expect(error).toBeInstanceOf(UserError)
  expect((error as UserError).message).toMatch(
    /a.png: boxes are pixels .* looks normalised .* multiply x by the width/
  )
})

test('a box in pixels is cropped; one beside the picture, tiny, or turned round is left out aloud', async () => {
  expect(await open('5|5|30|30')).toEqual([])
  for (const box of ['70|5|90|30', '5|5|6|30', '40|30|10|5'])
    expect(await open(box)).toEqual([expect.stringContaining('shows nothing')])
})
