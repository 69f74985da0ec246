// Tests `likeness profile` with the real program and the smallest model. A profile is learned from
// a gallery, and is kept only when it is better. One gallery uses the profile, another gallery does
// not.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { relearnModel } from '@likeness/vision'
import { createRandom } from '../../../packages/drawing/src/seeded-random.ts'
import { type Home, openHome } from './likeness.ts'

let home: Home
const count = 180
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

/** Limits the projection of a model to two numbers. So a learned projection is certainly better. */
async function weaken(modelDir: string): Promise<void> {
  const [dim, rawDim] = [2, 144]
  const file = new Uint8Array(
    Float32Array.from({ length: dim * (rawDim + 1) }, (_, i) =>
      i === 0 || i === rawDim + 1 ? 1 : 0
    ).buffer
  )
  const profile = {
    name: 'weak',
    version: 1,
    file: 'weak.f32',
    sha256: sha256Hex(file),
    dim
  }
  await relearnModel({
    modelDir,
    target: `${modelDir}-weak`,
    learned: {
      profile,
      file,
      learned: {
        from: 'nothing',
        references: 0,
        heldOut: 0,
        recallRaw: 0,
        recallProjected: 0,
        text: ''
      }
    }
  })
  await rm(modelDir, { recursive: true })
  await rename(`${modelDir}-weak`, modelDir)
}

/** Draws a colour beside its complement. */
async function drawHalves(file: string, colour: readonly number[]): Promise<void> {
  const rgb = Buffer.from([...colour, ...colour.map((value) => 255 - value)])
  await sharp(rgb, { raw: { width: 2, height: 1, channels: 3 } })
    .resize(48, 48, { kernel: 'nearest', fit: 'fill' })
    .png()
    .toFile(file)
}

beforeAll(async () => {
  home = await openHome()
  await weaken(join(home.dir, 'model'))
  await mkdir(join(home.dir, 'pictures'))
  const random = createRandom(4)
  for (const seed of seeds)
    await drawHalves(join(home.dir, 'pictures', `${seed}.png`), [
      random.below(256),
      random.below(256),
      random.below(256)
    ])
  await writeFile(
    join(home.dir, 'gallery.txt'),
    seeds.map((seed) => `${seed}.png\tlabel ${seed}\n`).join('')
  )
  await writeFile(join(home.dir, 'plain.yaml'), yamlOf('plain'))
  await writeFile(join(home.dir, 'learned.yaml'), yamlOf('learned', '  profile: own\n'))
  const up = await home.run(home.dir, 'up', '--port', '0', '--import', join(home.dir, 'pictures'))
  expect(up.code, up.stderr).toBe(0)
})
afterAll(async () => {
  await home.run(home.dir, 'down')
})

const run = async (...args: string[]) => {
  const finished = await home.run(home.dir, ...args)
  return { ...finished, all: `${finished.stdout}${finished.stderr}` }
}

test('a profile is learned from a gallery, listed and shown, and galleries with it and without it are searched side by side', async () => {
  expect((await run('build', '-c', 'plain.yaml')).code).toBe(0)
  const early = await run('build', '-c', 'learned.yaml')
  expect([early.code, early.all]).toEqual([
    2,
    expect.stringContaining('there is no profile own') as string
  ])

  const learned = await run('profile', 'learn', '--collection', 'plain', '--name', 'own', '--json')
  expect(learned.code, learned.all).toBe(0)
  const kept = learned.json() as {
    kept: boolean
    version: string
    learned: { r1_before: number; r1_after: number }
  }
  expect(kept).toMatchObject({
    kept: true,
    name: 'own',
    model: 'tiny@1.0.0',
    learned: { from: 'collection plain', judged_by: 'views', pictures: 180, held_out: 30 }
  })
  expect(kept.learned.r1_after).toBeGreaterThan(kept.learned.r1_before)
  expect((await run('profile', 'show', 'own')).stdout).toContain(`tiny@1.0.0/own@${kept.version}`)

  const none = await run('profile', 'show', 'nothing')
  expect([none.code, none.all]).toEqual([
    2,
    expect.stringContaining('there is no profile nothing') as string
  ])

  // All pictures are equal, so learning has no effect.
  await home.folder('same', {}, Object.fromEntries(seeds.map((seed) => [`${seed}.png`, 1])))
  const worse = await run('profile', 'learn', 'same', '--name', 'own', '--json')
  expect([worse.code, worse.json().kept, worse.stdout]).toEqual([
    1,
    false,
    expect.stringContaining('not clearly better than tiny@1.0.0/weak@1') as string
  ])
  expect(
    ((await run('profile', 'list', '--json')).json() as unknown as { version: string }[]).map(
      ({ version }) => version
    )
  ).toEqual([kept.version])

  const built = await run('build', '-c', 'learned.yaml')
  expect(built.code, built.all).toBe(0)
  const top = async (yaml: string, seed: number) => {
    const { objects } = (
      await run('search', '-c', yaml, '--image', join('pictures', `${seed}.png`), '--json')
    ).json() as { objects: { kind: string; hits: { label: string; score: number }[] }[] }
    return objects.find(({ kind }) => kind === 'whole')!.hits
  }
  const [plain, own] = await Promise.all([top('plain.yaml', 7), top('learned.yaml', 7)])
  expect(own[0]).toMatchObject({ label: 'label 7', score: expect.closeTo(1, 3) as number })
  // Two numbers separate little; 144 numbers separate much.
  expect(plain[2]!.score).toBeGreaterThan(0.999)
  expect(own[2]!.score).toBeLessThan(0.99)

  const other = await run('profile', 'apply', 'nothing', '--collection', 'plain')
  expect([other.code, other.all]).toEqual([
    1,
    expect.stringContaining('profile_not_found') as string
  ])
  // A profile is learned in the background after enough items were added, and the collection gets
  // the profile.
  const waiting = await run(
    'profile',
    'learn',
    '--collection',
    'plain',
    '--name',
    'background',
    '--after',
    '150',
    '--apply',
    '--json'
  )
  expect([waiting.code, waiting.json()]).toEqual([
    0,
    expect.objectContaining({ kept: true, applied: true, name: 'background' })
  ])
  // Compared with the current profile, an equal profile has no advantage. Then the program waits
  // until the collection has doubled.
  const watching = home.start(home.dir, [
    'profile',
    'learn',
    '--collection',
    'plain',
    '--name',
    'background',
    '--watch',
    '--after',
    '150',
    '--json'
  ])
  await expect.poll(watching.stdout, { interval: 200 }).toContain('"kept":false')
  watching.child.kill('SIGTERM')
  const twice = await watching.finished
  expect(twice.json()).toMatchObject({
    kept: false,
    learned: { before: `tiny@1.0.0/background@${(waiting.json() as { version: string }).version}` }
  })
  expect(twice.stderr).not.toContain('has 150 items')
  const applied = await run('profile', 'apply', 'own', '--collection', 'plain', '--json')
  expect([applied.code, applied.json()]).toEqual([
    0,
    expect.objectContaining({
      name: 'plain',
      profile: `own@${kept.version}`,
      seq: expect.any(Number) as number
    })
  ])
  await writeFile(join(home.dir, 'plain.yaml'), yamlOf('plain', '  profile: own\n'))
  const changed = await top('plain.yaml', 7)
  expect([changed[0], changed[2]!.score < 0.99]).toEqual([
    expect.objectContaining({ label: 'label 7', score: expect.closeTo(1, 2) as number }),
    true
  ])
}, 280_000)
