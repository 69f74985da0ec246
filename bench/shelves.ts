// Writes a YOLO data set for `likeness eval --detect`: drawn shelves of 100 to 300 goods.
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { denseShelf } from '../packages/drawing/src/product/dense-shelf.ts'
import { createRandom } from '../packages/drawing/src/seeded-random.ts'

const [folder = '.likeness/shelves'] = process.argv.slice(2)
const [counts, ofEach, seed] = [[100, 200, 300], 2, 31]

const root = resolve(folder)
for (const part of ['images', 'labels']) await mkdir(join(root, part), { recursive: true })
const random = createRandom(seed)
for (const count of counts)
  for (let n = 1; n <= ofEach; n++) {
    const name = `shelf-${count}-${n}`
    const { jpeg, boxes } = await denseShelf(count, random.fork(name))
    const { width, height } = await sharp(jpeg).metadata()
    const lines = boxes.map(([x1, y1, x2, y2]) =>
      [
        0,
        (x1 + x2) / 2 / width,
        (y1 + y2) / 2 / height,
        (x2 - x1) / width,
        (y2 - y1) / height
      ].join(' ')
    )
    await writeFile(join(root, 'images', `${name}.jpg`), jpeg)
    await writeFile(join(root, 'labels', `${name}.txt`), `${lines.join('\n')}\n`)
  }
process.stdout.write(
  `${root}: ${counts.length * ofEach} shelves of ${counts.join(', ')} goods\nlikeness eval --detect ${folder} --max-objects 1000 --tiles 4\n`
)
