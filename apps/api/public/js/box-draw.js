// Draws a box on the picture: by dragging, or with the keyboard (arrows move, Shift + arrows
// resize, Enter searches).
import { byId, h } from './dom.js'

const dragFromPx = 6
const byTouch = () => matchMedia('(pointer: coarse)').matches
const clamp = (value, low, high) => Math.min(high, Math.max(low, value))

/** onBox([x1, y1, x2, y2]) is in pixels of the upright picture. */
export function createBoxDraw({ picture, onBox }) {
  const { figure } = picture
  const button = byId('draw')
  const help = byId('draw-help')
  const pen = h('div', {
    class: 'pen',
    tabindex: '0',
    role: 'application',
    hidden: true,
    'aria-label':
      'Box to search. Arrows move it, Shift and arrows resize it, Enter searches, Escape cancels.'
  })
  figure.append(pen)
  let start = null
  let box = null // [x1, y1, x2, y2] as fractions of the picture
  let byKeyboard = false

  function paint() {
    pen.hidden = box === null
    if (box === null) return
    const percent = (value) => `${100 * value}%`
    pen.style.left = percent(box[0])
    pen.style.top = percent(box[1])
    pen.style.width = percent(box[2] - box[0])
    pen.style.height = percent(box[3] - box[1])
  }

  function arm(on) {
    button.setAttribute('aria-pressed', String(on))
    figure.classList.toggle('drawing', on)
    const isHidden = byTouch() && !on
    const dragText = isHidden ? '' : 'Drag on the picture to search one part of it.'
    help.textContent =
      on && byKeyboard
        ? 'Arrows move, Shift + arrows resize, Enter searches, Esc cancels.'
        : dragText
    if (!on) {
      box = null
      start = null
      paint()
    }
  }

  function finish() {
    const size = picture.size()
    const done = box
    arm(false)
    if (done === null || size === null) return
    const pixels = [
      done[0] * size.width,
      done[1] * size.height,
      done[2] * size.width,
      done[3] * size.height
    ].map(Math.round)
    if (pixels[2] - pixels[0] >= 2 && pixels[3] - pixels[1] >= 2) onBox(pixels)
  }

  function pointAt(event) {
    const area = picture.layer.getBoundingClientRect()
    return [
      clamp((event.clientX - area.left) / area.width, 0, 1),
      clamp((event.clientY - area.top) / area.height, 0, 1)
    ]
  }

  button.addEventListener('click', (event) => {
    byKeyboard = event.detail === 0
    const on = button.getAttribute('aria-pressed') !== 'true'
    arm(on)
    if (!on || !byKeyboard) return
    box = [0.25, 0.25, 0.75, 0.75]
    paint()
    pen.focus()
  })

  figure.addEventListener('pointerdown', (event) => {
    const armed = button.getAttribute('aria-pressed') === 'true'
    if (event.button !== 0 || (event.pointerType !== 'mouse' && !armed)) return
    start = {
      at: pointAt(event),
      x: event.clientX,
      y: event.clientY,
      id: event.pointerId,
      moved: false
    }
  })
  figure.addEventListener('pointermove', (event) => {
    if (start === null || event.pointerId !== start.id) return
    if (!start.moved) {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) < dragFromPx) return
      start.moved = true
      figure.setPointerCapture(event.pointerId)
      figure.classList.add('drawing')
    }
    const now = pointAt(event)
    box = [
      Math.min(start.at[0], now[0]),
      Math.min(start.at[1], now[1]),
      Math.max(start.at[0], now[0]),
      Math.max(start.at[1], now[1])
    ]
    paint()
  })
  figure.addEventListener('pointerup', () => {
    if (start?.moved) finish()
    start = null
  })
  figure.addEventListener('pointercancel', () => arm(false))

  function nudge(event, dx, dy) {
    const step = event.altKey ? 0.004 : 0.02
    const [x1, y1, x2, y2] = box
    if (event.shiftKey)
      box = [x1, y1, clamp(x2 + dx * step, x1 + 0.02, 1), clamp(y2 + dy * step, y1 + 0.02, 1)]
    else {
      const mx = clamp(dx * step, -x1, 1 - x2)
      const my = clamp(dy * step, -y1, 1 - y2)
      box = [x1 + mx, y1 + my, x2 + mx, y2 + my]
    }
    paint()
  }
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }
  pen.addEventListener('keydown', (event) => {
    if (box === null) return
    if (event.key === 'Enter') finish()
    else if (event.key === 'Escape') arm(false)
    else if (arrows[event.key]) nudge(event, ...arrows[event.key])
    else return
    event.preventDefault()
    if (box === null) button.focus()
  })
  return { cancel: () => arm(false) }
}
