// Shows a side of a comparison: a picture cut near the box, and the cells of the box as buttons.
import { h } from './dom.js'

const names = [
  'top left',
  'top',
  'top right',
  'left',
  'middle',
  'right',
  'bottom left',
  'bottom',
  'bottom right'
]
export const cellName = (cell) => names[cell] ?? `part ${cell + 1}`

/** Margin around the box, as a fraction of the length of its sides. */
const margin = 0.12

/** Returns the box with its margin, cut to the picture. */
function regionOf([x1, y1, x2, y2], { width, height }) {
  const [across, down] = [(x2 - x1) * margin, (y2 - y1) * margin]
  return [
    Math.max(0, x1 - across),
    Math.max(0, y1 - down),
    Math.min(width, x2 + across),
    Math.min(height, y2 + down)
  ]
}

/** Places a box inside a region, in percent. */
function lay(node, [x1, y1, x2, y2], [left, top, right, bottom]) {
  const [across, down] = [100 / (right - left), 100 / (bottom - top)]
  Object.assign(node.style, {
    left: `${(x1 - left) * across}%`,
    top: `${(y1 - top) * down}%`,
    width: `${(x2 - x1) * across}%`,
    height: `${(y2 - y1) * down}%`
  })
}

/**
 * `picture`: an element that shows the whole picture. onPoint(cell | null): the cell that is under
 * the pointer or has the focus.
 */
export function comparedPicture({ picture, caption, onPoint }) {
  const frame = h('div', { class: 'compared-frame' }, picture)
  const cells = h('div', {
    class: 'cells',
    role: 'group',
    'aria-label': `Parts of ${caption}`,
    hidden: true
  })
  const node = h('figure', { class: 'compared' }, frame, h('figcaption', { text: caption }))
  const buttons = () => [...cells.children]

  function cellButton(cell, match, says) {
    const button = h(
      'button',
      {
        type: 'button',
        class: match ? 'cell matched' : 'cell',
        tabindex: cell === 0 ? '0' : '-1',
        'aria-label': `${cellName(cell)}: ${says}`,
        data: { cell: String(cell) },
        on: {
          pointerenter: () => onPoint(cell),
          pointerleave: () => onPoint(null),
          focus: () => onPoint(cell),
          blur: () => onPoint(null)
        }
      },
      match
        ? h('span', { class: 'cell-number', 'aria-hidden': 'true', text: String(match.number) })
        : null
    )
    if (match) button.style.setProperty('--strength', String(match.strength))
    return button
  }

  function walk(event, grid) {
    const at = buttons().indexOf(document.activeElement)
    const [row, column] = [Math.floor(at / grid), at % grid]
    const [down, across] =
      { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key] ??
      []
    if (at < 0 || down === undefined) return
    event.preventDefault()
    const [r, c] = [row + down, column + across]
    if (r < 0 || r >= grid || c < 0 || c >= grid) return
    buttons()[at].tabIndex = -1
    buttons()[r * grid + c].tabIndex = 0
    buttons()[r * grid + c].focus()
  }

  return {
    node,
    /** Shows the part of the picture in the box and its margin. */
    show(box, size) {
      const region = regionOf(box, size)
      frame.style.setProperty('--ratio', String((region[2] - region[0]) / (region[3] - region[1])))
      lay(picture, [0, 0, size.width, size.height], region)
      lay(cells, box, region)
      frame.append(cells)
      node.dataset.shown = 'yes'
    },
    /** matchOf(cell): {number, strength} or undefined. sayOf(cell): the same in words. */
    setCells(grid, { matchOf, sayOf }) {
      cells.style.setProperty('--grid', String(grid))
      cells.replaceChildren(
        ...Array.from({ length: grid * grid }, (_, cell) =>
          cellButton(cell, matchOf(cell), sayOf(cell))
        )
      )
      cells.addEventListener('keydown', (event) => walk(event, grid))
      cells.hidden = false
    },
    /**
     * strengthOf(cell): brightness of the cell; null when the user points at no cell. `own`: the
     * cell that the user points at.
     */
    light({ own = null, strengthOf = null }) {
      cells.dataset.pointed = own === null && strengthOf === null ? '' : 'yes'
      for (const button of buttons()) {
        const cell = Number(button.dataset.cell)
        button.classList.toggle('own', cell === own)
        button.style.setProperty('--answer', String(strengthOf === null ? 0 : strengthOf(cell)))
        button.classList.toggle('answers', strengthOf !== null && strengthOf(cell) > 0)
      }
    }
  }
}
