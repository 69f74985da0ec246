// A hit seen large, with the box of the gallery picture that matched; and the question before an item is deleted.
import { api } from './api.js'
import { openDialog } from './dialog.js'
import { h } from './dom.js'
import { remoteImage } from './remote-image.js'

function matchedBox(frame, box) {
  const image = frame.querySelector('img')
  if (image === null || !box) return
  const { naturalWidth: width, naturalHeight: height } = image
  const node = h('span', { class: 'matched-box', 'aria-hidden': 'true' })
  node.style.left = `${(100 * box[0]) / width}%`
  node.style.top = `${(100 * box[1]) / height}%`
  node.style.width = `${(100 * (box[2] - box[0])) / width}%`
  node.style.height = `${(100 * (box[3] - box[1])) / height}%`
  frame.append(node)
}

/** onSearch(file): search with the gallery picture itself. */
export function openHit(hit, { onSearch }) {
  const frame = remoteImage([hit.image], `Gallery picture of ${hit.label ?? hit.id}`)
  frame.classList.add('large')
  frame.addEventListener('shown', () => matchedBox(frame, hit.box), { once: true })
  const facts = [
    ['id', hit.id], ['score', String(hit.score)], [`distance (${hit.metric})`, String(hit.distance)],
    ['box', hit.box ? hit.box.map((value) => Math.round(value)).join(', ') : 'none'],
    ...Object.entries(hit.metadata ?? {}).map(([key, value]) => [key, String(value)])
  ]
  openDialog({
    title: hit.label ?? 'no label',
    wide: true,
    body: [frame, h('dl', { class: 'facts' }, ...facts.flatMap(([name, value]) => [h('dt', { text: name }), h('dd', { text: value })]))],
    action: 'Search with this picture',
    onSubmit: async () => {
      const blob = await api.blob(hit.image)
      onSearch(new File([blob], hit.label ?? hit.id, { type: blob.type }))
    }
  })
}

/** Asks first; onDeleted after the API has answered. */
export function askToDelete(collection, hit, onDeleted) {
  openDialog({
    title: 'Delete this item?',
    body: [
      h('div', { class: 'delete-what' }, remoteImage([hit.thumbnail, hit.image], ''),
        h('div', {}, h('p', { class: 'hit-label', text: hit.label ?? 'no label' }), h('p', { class: 'hit-id', text: hit.id }))),
      h('p', { text: `It leaves ${collection} for good, with all its vectors.` })
    ],
    action: 'Delete',
    tone: 'danger',
    onSubmit: async () => {
      await api.deleteItem(collection, hit.id)
      onDeleted()
    }
  })
}
