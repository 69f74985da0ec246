// Writes a labelled set for `likeness eval`: scenes of marks in the gallery, and of other marks.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { drawGallery } from '../apps/cli/src/demo/draw-gallery.ts'
import { drawScene, sceneKinds } from '../packages/drawing/src/draw-scene.ts'
import { createRandom } from '../packages/drawing/src/seeded-random.ts'

const [folder = '.likeness/unknown'] = process.argv.slice(2)
const [galleryMarks, strangerMarks, knownQueries, unknownQueries, seed] = [400, 1000, 400, 2000, 77]

const root = resolve(folder)
const { pictures } = await drawGallery({
  folder: join(root, 'drawn'),
  count: galleryMarks + strangerMarks
})
await mkdir(join(root, 'scenes'), { recursive: true })
const [known, strangers] = [pictures.slice(0, galleryMarks), pictures.slice(galleryMarks)]
const lines = [
  'path,label,role,bbox_xyxy,extra',
  ...known.map(({ path, label }) => `drawn/${path},${label},gallery,,`)
]
const random = createRandom(seed)

async function addQuery(
  n: number,
  { path, label }: { path: string; label: string },
  isKnown: boolean
): Promise<void> {
  // Scenes on a plate, pasted, and 30 % covered, in turn.
  const kind = sceneKinds[n % sceneKinds.length]!
  const { jpeg, box } = await drawScene({
    picture: await readFile(join(root, 'drawn', path)),
    kind,
    random: random.fork(`${n} ${path}`)
  })
  const name = `scenes/${isKnown ? 'known' : 'unknown'}-${String(n).padStart(4, '0')}.jpg`
  await writeFile(join(root, name), jpeg)
  lines.push(`${name},${isKnown ? label : 'none'},query,${box.join('|')},${kind}`)
}
for (let n = 0; n < knownQueries; n++) await addQuery(n, known[n % known.length]!, true)
for (let n = 0; n < unknownQueries; n++) await addQuery(n, strangers[n % strangers.length]!, false)
await writeFile(join(root, 'labels.csv'), `${lines.join('\n')}\n`)
process.stdout.write(
  `${root}: ${galleryMarks} marks in the gallery, ${knownQueries} scenes of them, ${unknownQueries} scenes of ${strangerMarks} others\nlikeness eval ${folder} --false-accept 0.1\n`
)
