// Tests `likeness example` with the real program and the built-in model, on some of the drawn
// pictures. The floors are below the measured values, which are printed.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  drawExampleSet,
  type DrawnPicture,
  type ExampleSet
} from '../../../packages/drawing/src/example-set.ts'
import { logoSet } from '../../../packages/drawing/src/logo/logo-set.ts'
import { productSet } from '../../../packages/drawing/src/product/product-set.ts'
import { vehicleSet } from '../../../packages/drawing/src/vehicle/vehicle-set.ts'
import { type Home, openHome } from './likeness.ts'

let home: Home
beforeAll(async () => {
  home = await openHome({ model: 'built-in' })
})

/**
 * Returns the first queries of each kind, and the gallery with their labels and the first other
 * labels.
 */
const partOf = (
  set: ExampleSet,
  { queriesOfAKind, furtherLabels }: { queriesOfAKind: number; furtherLabels: number }
): ExampleSet => ({
  version: `${set.version}, part`,
  async plan() {
    const { gallery, queries } = await set.plan()
    const kindOf = ({ more }: DrawnPicture): string => more!.at(-1)!
    const asked = queries.filter(
      (query, at) =>
        queries.slice(0, at).filter((other) => kindOf(other) === kindOf(query)).length <
        queriesOfAKind
    )
    const wanted = new Set(asked.map(({ label }) => label))
    const further = new Set(
      [...new Set(gallery.map(({ label }) => label))]
        .filter((label) => !wanted.has(label))
        .slice(0, furtherLabels)
    )
    return {
      gallery: gallery.filter(({ label }) => wanted.has(label) || further.has(label)),
      queries: asked
    }
  }
})

async function runPart(
  name: string,
  part: ExampleSet
): Promise<{ json: Record<string, unknown>; stdout: string; sheet: string }> {
  const folder = await home.folder(name, {})
  await drawExampleSet(part, folder)
  const { code, stdout, stderr, json } = await home.run(
    home.dir,
    'example',
    name,
    '--images',
    folder,
    '--json',
    '--sheet',
    `${name}.html`
  )
  expect(code, stderr).toBe(0)
  console.log(stdout)
  return { json: json(), stdout, sheet: await readFile(join(home.dir, `${name}.html`), 'utf8') }
}

test('logos: marks are recognised in scenes and cut out, marks that are not in the gallery are unknown, and the sheet shows every query', async () => {
  const { json, stdout, sheet } = await runPart(
    'logo',
    partOf(logoSet(), { queriesOfAKind: 3, furtherLabels: 20 })
  )
  expect(json).toMatchObject({ example: 'logo', queries: 27 })
  expect(json.r1).toBeGreaterThanOrEqual(0.8)
  expect(json.falseAccept).toBeLessThan(0.5)
  expect(stdout).toMatch(/^transparent +3 /m)
  expect(sheet.match(/<article>/g)).toHaveLength(27)
})

test('vehicles: hits of the camera that asks are left out, and those of the other camera are found', async () => {
  const { json, stdout, sheet } = await runPart(
    'vehicle',
    partOf(vehicleSet(), { queriesOfAKind: 6, furtherLabels: 4 })
  )
  expect(json).toMatchObject({ example: 'vehicle', queries: 18 })
  expect(json.r5).toBeGreaterThanOrEqual(0.4)
  expect(stdout).toMatch(/^unknown +6 +0 /m)
  for (const article of sheet.split('<article>').slice(1)) {
    const [, asking] = /images\/query\/\S+?-(cam\d)\.jpg/.exec(article)!
    const found = [...article.matchAll(/images\/gallery\/\S+?-(cam\d)[ab]\.jpg/g)].map(
      ([, camera]) => camera
    )
    expect(found).not.toContain(asking)
  }
})

test('products: a stranger is refused unless every query is to be answered, and the gallery speaks for a threshold', async () => {
  const { json, stdout } = await runPart(
    'product',
    partOf(productSet(), { queriesOfAKind: 3, furtherLabels: 12 })
  )
  expect(json).toMatchObject({ example: 'product', queries: 15 })
  expect(json.r5).toBeGreaterThanOrEqual(0.3)
  expect(json.falseAccept).toBeLessThan(0.5)
  expect(stdout).toMatch(/^several +3 /m)
  const again = (...options: string[]) =>
    home.run(home.dir, 'example', 'product', '--images', join(home.dir, 'product'), ...options)
  const without = await again('-o', 'IndexProcess.score_thres=None', '--json')
  expect(without.code, without.stderr).toBe(0)
  expect(without.json()).toMatchObject({ falseAccept: 1, falseReject: 0 })
  const { code, stdout: told, stderr } = await again('--threshold')
  expect(code, stderr).toBe(0)
  expect(told).toMatch(/^score_thres 0\.\d+: /m)
})
