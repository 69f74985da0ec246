// The user's picture with boxes. Browsers show the picture upright (EXIF), and boxes are in pixels
// of the upright picture.
import { byId, h } from './dom.js'

const hues = 6
export const hueOf = (index) => String(index % hues)

/** Callbacks: onHover(index | null), onSelect(index). */
export function createPicture({ onHover, onSelect }) {
  const figure = byId('picture')
  const image = byId('picture-image')
  const layer = byId('boxes')
  const unseen = byId('picture-unseen')
  let size = null
  let url = null

  function fit() {
    const { width, height } = size
    figure.style.setProperty('--ratio', String(width / height))
    figure.style.setProperty('--most', `${Math.max(width, Math.min(480, width * 6))}px`)
  }

  /**
   * Resolves with the upright size, or null where this browser cannot show the picture. Such a
   * picture can still be searched.
   */
  async function show(file) {
    if (url !== null) URL.revokeObjectURL(url)
    url = URL.createObjectURL(file)
    layer.replaceChildren()
    image.src = url
    image.alt = `Your picture ${file.name ?? ''}`.trim()
    const shown = await image.decode().then(
      () => true,
      () => false
    )
    byId('drop-hint').hidden = true
    figure.hidden = !shown
    unseen.hidden = shown
    unseen.textContent = shown
      ? ''
      : `This browser cannot show ${file.name || 'the picture'}. It was sent all the same.`
    size = shown ? { width: image.naturalWidth, height: image.naturalHeight } : null
    if (size) fit()
    return size
  }

  function boxNode(object, index, label) {
    const [x1, y1, x2, y2] = object.box
    const whole = object.kind === 'whole'
    const tag = h('span', { class: 'box-tag', text: whole ? 'whole' : String(index + 1) })
    const node = whole
      ? h('div', { class: 'box whole', data: { object: String(index) } }, tag)
      : h(
          'button',
          {
            type: 'button',
            class: 'box',
            'aria-label': `Show the hits of ${label}`,
            data: { object: String(index), hue: hueOf(index), kind: object.kind }
          },
          tag
        )
    const percent = (value, of) => `${(100 * value) / of}%`
    node.style.left = percent(x1, size.width)
    node.style.top = percent(y1, size.height)
    node.style.width = percent(x2 - x1, size.width)
    node.style.height = percent(y2 - y1, size.height)
    // The smaller box lies above the larger box, so that the user can reach each.
    node.style.zIndex = String(
      1 + Math.round(1000 * (1 - ((x2 - x1) * (y2 - y1)) / (size.width * size.height)))
    )
    if (!whole) {
      node.addEventListener('pointerenter', () => onHover(index))
      node.addEventListener('pointerleave', () => onHover(null))
      node.addEventListener('focus', () => onHover(index))
      node.addEventListener('blur', () => onHover(null))
      node.addEventListener('click', () => onSelect(index))
    }
    return node
  }

  return {
    figure,
    layer,
    show,
    size: () => size,
    /**
     * answerSize: the size that the server decoded. It equals our size unless the browser showed
     * another frame.
     */
    setBoxes(objects, answerSize, labelOf) {
      if (answerSize) size = answerSize
      layer.replaceChildren()
      if (size === null) return
      objects.forEach((object, index) => {
        if (object.box) layer.append(boxNode(object, index, labelOf(object, index)))
      })
    },
    /** Marks the box of an object; null removes the marks. */
    highlight(index) {
      layer.dataset.lit = index === null ? '' : 'yes'
      for (const node of layer.children)
        node.classList.toggle('lit', node.dataset.object === String(index))
    }
  }
}
