export interface GalleryPicture {
  /** Of the file, inside the gallery's folder. */
  path: string
  label: string
}
export interface Gallery {
  folder: string
  pictures: GalleryPicture[]
  /** `path<TAB>label` lines, as the import takes them. */
  listFile: string
}
