// Shows a hit beside the query, part by part, and asks before an item is deleted.
import { api } from './api.js'
import { comparison } from './comparison.js'
import { openDialog } from './dialog.js'
import { h } from './dom.js'
import { remoteImage } from './remote-image.js'

/**
 * query: {file, box, size} of the object that was searched. onSearch(file): searches with the
 * gallery picture itself.
 */
export function openHit(hit, { collection, query, onSearch }) {
  const closed = new AbortController()
  const facts = [
    ['id', hit.id],
    ['score', String(hit.score)],
    ...(hit.margin === undefined ? [] : [['margin', String(hit.margin)]]),
    [`distance (${hit.metric})`, String(hit.distance)],
    ['box', hit.box ? hit.box.map((value) => Math.round(value)).join(', ') : 'none'],
    ...Object.entries(hit.metadata ?? {}).map(([key, value]) => [key, String(value)])
  ]
  openDialog({
    title: hit.label ?? 'no label',
    wide: true,
    body: [
      comparison({ collection, hit, query, signal: closed.signal }),
      h(
        'dl',
        { class: 'facts' },
        ...facts.flatMap(([name, value]) => [h('dt', { text: name }), h('dd', { text: value })])
      )
    ],
    action: 'Search with this picture',
    leave: 'Close',
    onSubmit: async () => {
      const blob = await api.blob(hit.image)
      onSearch(new File([blob], hit.label ?? hit.id, { type: blob.type }))
    },
    onClose: () => closed.abort()
  })
}

/** Asks first. Calls onDeleted after the API has answered. */
export function askToDelete(collection, hit, onDeleted) {
  openDialog({
    title: 'Delete this item?',
    body: [
      h(
        'div',
        { class: 'delete-what' },
        remoteImage([hit.thumbnail, hit.image], ''),
        h(
          'div',
          {},
          h('p', { class: 'hit-label', text: hit.label ?? 'no label' }),
          h('p', { class: 'hit-id', text: hit.id })
        )
      ),
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
