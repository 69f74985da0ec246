// The pictures that demo and start load: drawn brand marks, or the user's folder.
import { join } from 'node:path'
import { readFolderGallery } from '../pictures/folder-gallery.ts'
import type { Gallery } from '../pictures/gallery.ts'
import type { Progress } from '../progress.ts'
import { drawGallery, galleryMarks } from './draw-gallery.ts'

export interface NamedGallery extends Gallery {
  collection: string
}

export async function openGallery({
  images,
  dataDir,
  progress,
  say
}: {
  images: string | undefined
  dataDir: string
  progress: Progress
  say: (text: string) => void
}): Promise<NamedGallery> {
  if (images !== undefined)
    return {
      ...(await readFolderGallery(images, { workDir: join(dataDir, 'demo'), say })),
      collection: 'own-pictures'
    }
  const gallery = await drawGallery({
    folder: join(dataDir, 'demo/brand-marks'),
    onProgress: (kept) => progress.show(kept, galleryMarks)
  })
  progress.done()
  return { ...gallery, collection: 'brand-marks' }
}
