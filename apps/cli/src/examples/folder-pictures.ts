// A user's own pictures as an example: with the lists in the folder, else sub-folders as labels
// with every fourth picture held out.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listLine } from '@likeness/drawing/example-set'
import { readFolderGallery } from '../pictures/folder-gallery.ts'
import { UserError } from '../user-error.ts'
import { type ExampleQuery, readQueryList } from './example-query.ts'

export interface ExamplePictures {
  imageRoot: string
  dataFile: string
  queries: ExampleQuery[]
}

const heldOutEvery = 4

/**
 * Opens a folder. The list that this function makes is written into `workDir`; the folder stays
 * unchanged. UserError when there is no query.
 */
export async function openFolder(
  folder: string,
  {
    workDir,
    fields,
    say
  }: { workDir: string; fields: readonly string[]; say: (text: string) => void }
): Promise<ExamplePictures> {
  const [gallery, queries] = [join(folder, 'gallery.txt'), join(folder, 'queries.txt')]
  if (existsSync(gallery) && existsSync(queries))
    return {
      imageRoot: folder,
      dataFile: gallery,
      queries: await readQueryList(queries, { root: folder, fields })
    }
  const { folder: root, pictures } = await readFolderGallery(folder, { workDir, say })
  const places = new Map<string, number>()
  const isHeldOut = pictures.map(({ label }) => {
    const place = (places.get(label) ?? 0) + 1
    places.set(label, place)
    return place % heldOutEvery === 0
  })
  const asked = pictures.filter((_, i) => isHeldOut[i])
  if (asked.length === 0)
    throw new UserError(
      `--images ${folder}: no sub-folder has ${heldOutEvery} pictures, so that none can be held out as a query; gallery.txt and queries.txt may lie there instead`
    )
  await mkdir(workDir, { recursive: true })
  const dataFile = join(workDir, 'gallery.txt')
  await writeFile(
    dataFile,
    pictures
      .filter((_, i) => !isHeldOut[i])
      .map(listLine)
      .join('')
  )
  return {
    imageRoot: root,
    dataFile,
    queries: asked.map(({ path, label }) => ({
      name: path,
      file: join(root, path),
      labels: [label],
      fields: {},
      kind: 'held-out'
    }))
  }
}
