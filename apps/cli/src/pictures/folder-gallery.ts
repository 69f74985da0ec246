// A gallery of the user's own pictures: every picture below a folder, labelled by the first
// sub-folder.
import { mkdir, readdir, realpath, writeFile } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { UserError } from '../user-error.ts'
import type { Gallery, GalleryPicture } from './gallery.ts'

const pictureEndings = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])

/** Paths with `/`, in order. A picture outside sub-folders is labelled by its own name. */
export function labelPictures(paths: readonly string[]): GalleryPicture[] {
  return [...paths].sort().map((path) => ({
    path,
    label: path.includes('/') ? path.slice(0, path.indexOf('/')) : basename(path, extname(path))
  }))
}

/**
 * Returns pictures anywhere below a folder, as relative paths with `/`. UserError, naming the
 * option, when there is no picture.
 */
export async function readPicturePaths(
  folder: string,
  option: string
): Promise<{ root: string; paths: string[] }> {
  const root = await realpath(folder)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile() && pictureEndings.has(extname(entry.name).toLowerCase()))
    .map((entry) =>
      relative(root, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/')
    )
  if (paths.length === 0)
    throw new UserError(`${option} ${folder}: no picture (${[...pictureEndings].join(' ')}) in it`)
  return { root, paths: paths.sort() }
}

/**
 * UserError when there is no picture. The list file is written into `workDir`; the user's folder
 * stays unchanged.
 */
export async function readFolderGallery(
  folder: string,
  { workDir }: { workDir: string }
): Promise<Gallery> {
  const { root, paths } = await readPicturePaths(folder, '--images')
  // The list is lines of columns: a name that would break a line cannot be imported.
  const pictures = labelPictures(paths.filter((path) => !/[\t\r\n]/.test(path)))
  await mkdir(workDir, { recursive: true })
  const listFile = join(workDir, 'own-pictures.tsv')
  await writeFile(listFile, pictures.map(({ path, label }) => `${path}\t${label}\n`).join(''))
  return { folder: root, pictures, listFile }
}
