// Gallery pictures: same origin only, as blobs when a key is in use, and the full picture when a
// thumbnail is missing.
import { api, storedKey } from './api.js'
import { h } from './dom.js'

const localPath = (path) => {
  if (typeof path !== 'string' || path === '') return null
  const url = new URL(path, location.href)
  return url.origin === location.origin ? url.pathname + url.search : null
}

async function sourceOf(path) {
  return storedKey() === null ? path : URL.createObjectURL(await api.blob(path))
}

function load(image, path) {
  return new Promise((resolve, reject) => {
    let source = path
    const done = () => {
      if (source.startsWith('blob:')) URL.revokeObjectURL(source)
    }
    image.onload = () => {
      done()
      resolve()
    }
    image.onerror = () => {
      done()
      reject(new Error(`${path} is not a picture this browser can show`))
    }
    sourceOf(path).then((found) => {
      source = found
      image.src = found
    }, reject)
  })
}

/**
 * Makes an <img> that tries the paths in turn. A note replaces the image where every path fails.
 */
export function remoteImage(paths, alt) {
  const image = h('img', { alt, decoding: 'async' })
  const frame = h('span', { class: 'remote-image', data: { state: 'loading' } }, image)
  const tryNext = async (rest) => {
    const path = rest[0]
    if (path === undefined) {
      frame.dataset.state = 'missing'
      frame.replaceChildren(h('span', { class: 'no-picture', text: 'no picture' }))
      return
    }
    try {
      await load(image, path)
      frame.dataset.state = 'shown'
      frame.dispatchEvent(new Event('shown'))
    } catch {
      await tryNext(rest.slice(1))
    }
  }
  void tryNext(paths.map(localPath).filter((path) => path !== null))
  return frame
}
