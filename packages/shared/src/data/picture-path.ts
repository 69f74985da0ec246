// Paths of pictures in lists. One picture has one path, whichever way the list writes it: relative
// to the folder, with `/`, without empty names, `.` and `..`.

/** Folders as a user may write them: as given, and with symlinks resolved. */
type Folders = readonly string[]

/** undefined for a path that leads out. '' is the folder itself. */
function plain(path: string): string | undefined {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) return undefined
  }
  return names.join('/')
}

const isWindowsRoot = (path: string): boolean => /^[A-Za-z]:[\\/]/.test(path)

/** Takes the folder off an absolute path. */
function relativeTo(folders: Folders, path: string): string | undefined {
  if (isWindowsRoot(path)) return undefined
  if (!path.startsWith('/')) return plain(path)
  const whole = plain(path)
  for (const folder of folders) {
    const start = plain(folder)
    if (whole === undefined || start === undefined) continue
    if (whole === start) return ''
    if (start === '' || whole.startsWith(`${start}/`))
      return whole.slice(start === '' ? 0 : start.length + 1)
  }
  return undefined
}

/** Names that look the same may be composed differently in Unicode: the disk has one of them. */
function compositions(path: string): string[] {
  const [nfc, nfd] = [path.normalize('NFC'), path.normalize('NFD')]
  if (nfc === nfd) return [path]
  const slash = (text: string): number => text.lastIndexOf('/') + 1
  const mixed = (folder: string, name: string): string =>
    folder.slice(0, slash(folder)) + name.slice(slash(name))
  return [path, nfc, nfd, mixed(nfc, nfd), mixed(nfd, nfc)]
}

/**
 * Returns the paths that a written path may mean, the most likely first; none when the path leads
 * out of the folder. A backslash is part of a name on Linux and parts names on Windows. Most paths
 * have one meaning. Where there are several, the first one that is a file counts; where none is a
 * file, the first one.
 */
export function meaningsOf(written: string, folders: Folders = []): string[] {
  const ways = written.includes('\\') ? [written, written.replaceAll('\\', '/')] : [written]
  const paths = ways.map((path) => relativeTo(folders, path))
  // `..\x.jpg` leads out, though it may be a name on Linux.
  if (paths.at(-1) === undefined) return []
  return [...new Set(paths.flatMap((path) => (path === undefined ? [] : compositions(path))))]
}

/** Returns the reason why a path is not inside its folder, with a hint where one is known. */
export const whyOutside = (written: string, folder: string): string =>
  isWindowsRoot(written)
    ? `${written} is an absolute path of Windows: write it relative to ${folder}`
    : `${written} is not inside ${folder}`
