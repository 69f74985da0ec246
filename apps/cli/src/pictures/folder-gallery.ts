// A gallery of the user's own pictures: every picture below a folder, labelled by the first
// sub-folder.
import { mkdir, readdir, realpath, writeFile } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { UserError } from '../user-error.ts'
import type { Gallery, GalleryPicture } from './gallery.ts'

const pictureEndings = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])
/** Endings of pictures and films whose format is not read. */
const foreignEndings = new Set(
  'heic heif bmp jxl jp2 psd svg pdf cr2 cr3 nef arw dng orf rw2 raf mov mp4'
    .split(' ')
    .map((ending) => `.${ending}`)
)
const mostNamed = 3

/** Paths with `/`, in order. A picture outside sub-folders is labelled by its own name. */
export function labelPictures(paths: readonly string[]): GalleryPicture[] {
  return [...paths].sort().map((path) => ({
    path,
    label: path.includes('/') ? path.slice(0, path.indexOf('/')) : basename(path, extname(path))
  }))
}

/**
 * Returns pictures anywhere below a folder, as relative paths with `/`, and those in formats that
 * are not read. UserError, naming the option, when there is no picture.
 */
export async function readPicturePaths(
  folder: string,
  option: string
): Promise<{ root: string; paths: string[]; foreign: string[] }> {
  const root = await realpath(folder)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const pathsWith = (endings: ReadonlySet<string>): string[] =>
    entries
      .filter((entry) => entry.isFile() && endings.has(extname(entry.name).toLowerCase()))
      .map((entry) =>
        relative(root, join(entry.parentPath ?? entry.path, entry.name))
          .split(sep)
          .join('/')
      )
      .sort()
  const [paths, foreign] = [pathsWith(pictureEndings), pathsWith(foreignEndings)]
  if (paths.length === 0)
    throw new UserError(
      `${option} ${folder}: no picture (${[...pictureEndings].join(' ')}) in it${foreign.length > 0 ? `; ${leftOut(foreign)}` : ''}`
    )
  return { root, paths, foreign }
}

function leftOut(foreign: readonly string[]): string {
  const more = foreign.length > mostNamed ? ` and ${foreign.length - mostNamed} more` : ''
  return `${foreign.length} left out, as their format is not read: ${foreign.slice(0, mostNamed).join(', ')}${more}. Convert them to JPEG, PNG or WebP first`
}

/**
 * UserError when there is no picture. The list file is written into `workDir`; the user's folder
 * stays unchanged.
 */
export async function readFolderGallery(
  folder: string,
  { workDir, say }: { workDir: string; say: (text: string) => void }
): Promise<Gallery> {
  const { root, paths, foreign } = await readPicturePaths(folder, '--images')
  if (foreign.length > 0) say(`--images ${folder}: ${leftOut(foreign)}`)
  // The list is lines of columns: a name that would break a line cannot be imported.
  const pictures = labelPictures(paths.filter((path) => !/[\t\r\n]/.test(path)))
  await mkdir(workDir, { recursive: true })
  const listFile = join(workDir, 'own-pictures.tsv')
  await writeFile(listFile, pictures.map(({ path, label }) => `${path}\t${label}\n`).join(''))
  return { folder: root, pictures, listFile }
}
