// `likeness profile` by the real program and the smallest model: learned from a gallery, kept only when it is better, and used by a gallery beside one that does not.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHome } from './likeness.ts'
import type { Home } from './likeness.ts'

let home: Home
const count = 130
const seeds = Array.from({ length: count }, (_, i) => i)
const yamlOf = (name: string, more = ''): string => `IndexProcess:
  index_method: "FLAT"
  index_dir: "./${name}"
  image_root: "./pictures/"
  data_file: "./gallery.txt"
  return_k: 3
Likeness:
  collection: ${name}
${more}`

beforeAll(async () => {
  home = await openHome()
  await home.folder('pictures', {}, Object.fromEntries(seeds.map((seed) => [`${seed}.png`, seed])))
  await writeFile(join(home.dir, 'gallery.txt'), seeds.map((seed) => `${seed}.png\tlabel ${seed}\n`).join(''))
  await writeFile(join(home.dir, 'plain.yaml'), yamlOf('plain'))
  await writeFile(join(home.dir, 'learned.yaml'), yamlOf('learned', '  profile: own\n'))
  const up = await home.run(home.dir, 'up', '--port', '0', '--import', join(home.dir, 'pictures'))
  expect(up.code, up.stderr).toBe(0)
})
afterAll(async () => {
  await home.run(home.dir, 'down')
  await home.close()
})

const run = async (...args: string[]) => {
  const finished = await home.run(home.dir, ...args)
  return { ...finished, all: `${finished.stdout}${finished.stderr}` }
}

test('a profile is learned from a gallery, listed and shown, and galleries with it and without it are searched side by side', async () => {
  expect((await run('build', '-c', 'plain.yaml')).code).toBe(0)
  const early = await run('build', '-c', 'learned.yaml')
  expect([early.code, early.all]).toEqual([2, expect.stringContaining('there is no profile own')])

  const learned = await run('profile', 'learn', '--collection', 'plain', '--name', 'own', '--json')
  expect(learned.code, learned.all).toBe(0)
  const kept = learned.json() as { kept: boolean; version: string; learned: { r1_before: number; r1_after: number } }
  expect(kept).toMatchObject({ kept: true, name: 'own', model: 'tiny@1.0.0', learned: { from: 'collection plain', by: 'labels', references: 109, held_out: 21 } })
  expect(kept.learned.r1_after).toBeGreaterThan(kept.learned.r1_before)
  expect((await run('profile', 'list')).stdout).toContain(kept.version)
  expect((await run('profile', 'show', 'own')).stdout).toContain(`tiny@1.0.0/own@${kept.version}`)

  const built = await run('build', '-c', 'learned.yaml')
  expect(built.code, built.all).toBe(0)
  const top = async (yaml: string, seed: number) => {
    const answer = (await run('search', '-c', yaml, join('pictures', `${seed}.png`), '--json')).json() as { hits: { label: string; score: number }[] }
    return { label: answer.hits[0]!.label, score: answer.hits[0]!.score, second: answer.hits[1]!.score }
  }
  const [plain, own] = await Promise.all([top('plain.yaml', 7), top('learned.yaml', 7)])
  expect([plain, own]).toMatchObject([{ label: 'label 7', score: expect.closeTo(1, 2) as number }, { label: 'label 7', score: expect.closeTo(1, 2) as number }])
  expect(own.second).not.toBeCloseTo(plain.second, 3)
}, 280_000)

test('too few pictures, and what is no profile, are said in a sentence', async () => {
  await home.folder('few', {}, { 'a.png': 1, 'b.png': 2 })
  const few = await run('profile', 'learn', 'few', '--name', 'few')
  expect([few.code, few.all]).toEqual([2, expect.stringContaining('2 pictures are too few to learn from')])
  const none = await run('profile', 'show', 'nothing')
  expect([none.code, none.all]).toEqual([2, expect.stringContaining('there is no profile nothing')])
}, 120_000)
