// Shows the query's box beside the hit's box, and which parts of the two match.
import { api } from './api.js'
import { cellName, comparedPicture } from './compared-picture.js'
import { h } from './dom.js'
import { remoteImage } from './remote-image.js'

/**
 * Least strength at which a cell lights up. The API calls a pair a match from the same value on.
 */
const leastStrength = 1 / 3

function ownPicture(file, size) {
  if (size === null)
    return h(
      'span',
      { class: 'remote-image' },
      h('span', { class: 'no-picture', text: 'not shown' })
    )
  const url = URL.createObjectURL(file)
  const image = h('img', { alt: 'Your picture' })
  image.onload = image.onerror = () => URL.revokeObjectURL(url)
  image.src = url
  return h('span', { class: 'remote-image' }, image)
}

/** Items that came as vectors have boxes of an unknown picture. */
const hasArea = (box) => Boolean(box) && box[2] > box[0] && box[3] > box[1]

function formOf({ file, box }, hit) {
  const form = new FormData()
  if (box) form.append('box', JSON.stringify(box))
  if (hasArea(hit.box)) form.append('item_box', JSON.stringify(hit.box))
  form.append('image', file, file.name || 'picture')
  return form
}

function summaryOf({ matches, grid }) {
  const all = grid * grid
  if (matches.length === 0)
    return 'No part of one is clearly a part of the other: the score comes from what they have in common as a whole.'
  return `${matches.length} of ${all} parts match. Point at a part to see where it is in the other picture.`
}

/**
 * query: {file, box, size}; size is null where this browser cannot show the picture. Asks the API
 * at once.
 */
export function comparison({ collection, hit, query, signal }) {
  const status = h('p', {
    class: 'compared-status',
    role: 'status',
    'aria-live': 'polite',
    text: 'Comparing the parts …'
  })
  const gallery = remoteImage([hit.image], `Gallery picture of ${hit.label ?? hit.id}`)
  const left = comparedPicture({
    picture: ownPicture(query.file, query.size),
    caption: 'Your picture',
    onPoint: (cell) => point('query', cell)
  })
  const right = comparedPicture({
    picture: gallery,
    caption: 'Gallery picture',
    onPoint: (cell) => point('item', cell)
  })
  let answer = null

  const wholeOf = ({ width, height }) => [0, 0, width, height]
  if (query.size) left.show(query.box ?? wholeOf(query.size), query.size)
  gallery.addEventListener(
    'shown',
    () => {
      const { naturalWidth: width, naturalHeight: height } = gallery.querySelector('img')
      right.show(hasArea(hit.box) ? hit.box : wholeOf({ width, height }), { width, height })
    },
    { once: true }
  )

  const strengthBetween = (side, own, other) => {
    const strength = side === 'query' ? answer.strengths[own][other] : answer.strengths[other][own]
    return strength >= leastStrength ? strength : 0
  }
  const matchOf = (side) => (cell) => {
    const at = answer.matches.findIndex((match) => match[`${side}_cell`] === cell)
    return at < 0 ? undefined : { number: at + 1, strength: answer.matches[at].strength }
  }
  const sayOf = (side) => (cell) => {
    const match = answer.matches.find((one) => one[`${side}_cell`] === cell)
    if (match === undefined) return 'matches nothing clearly'
    return `matches the ${cellName(match[side === 'query' ? 'item_cell' : 'query_cell'])} of ${side === 'query' ? 'the gallery picture' : 'your picture'}, ${match.strength.toFixed(2)}`
  }

  function point(side, cell) {
    if (answer === null) return
    const [own, other] = side === 'query' ? [left, right] : [right, left]
    own.light({ own: cell })
    other.light({ strengthOf: cell === null ? null : (to) => strengthBetween(side, cell, to) })
    status.textContent =
      cell === null
        ? summaryOf(answer)
        : `The ${cellName(cell)} of ${side === 'query' ? 'your picture' : 'the gallery picture'} ${sayOf(side)(cell)}.`
  }

  async function ask() {
    try {
      answer = await api.compare(collection, hit.id, formOf(query, hit), signal)
    } catch (error) {
      if (error.name === 'AbortError') return
      status.replaceChildren(
        'The parts cannot be compared: ',
        h('span', { text: error.message }),
        ' ',
        h('code', { class: 'code', text: error.code ?? 'page_error' })
      )
      return
    }
    left.setCells(answer.grid, { matchOf: matchOf('query'), sayOf: sayOf('query') })
    right.setCells(answer.grid, { matchOf: matchOf('item'), sayOf: sayOf('item') })
    status.textContent = summaryOf(answer)
  }
  void ask()
  return h('div', { class: 'comparison' }, left.node, right.node, status)
}
