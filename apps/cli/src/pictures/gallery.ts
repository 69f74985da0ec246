export interface GalleryPicture {
  /** Path of the file, inside the gallery's folder. */
  path: string
  label: string
}
export interface Gallery {
  folder: string
  pictures: GalleryPicture[]
  /** `path<TAB>label` lines for the import. */
  listFile: string
}
