// The collection list: the remembered choice, the counts of the chosen collection, and the button
// that makes a new collection.
import { api } from './api.js'
import { openCreateCollection } from './create-collection.js'
import { byId, h } from './dom.js'
import * as format from './format.js'
import { shellExample } from './shell-example.js'

const choiceSlot = 'likeness.collection'

function segmentsFact(segments) {
  const rows = segments.map((segment) =>
    h(
      'tr',
      {},
      h('td', { text: segment.id }),
      h('td', { text: segment.index }),
      h('td', { text: format.count(segment.rows) }),
      h('td', { text: format.count(segment.deleted) })
    )
  )
  const head = h(
    'tr',
    {},
    ...['segment', 'index', 'rows', 'deleted'].map((text) => h('th', { scope: 'col', text }))
  )
  const label = h(
    'summary',
    {},
    h('b', { text: format.count(segments.length) }),
    segments.length === 1 ? ' segment' : ' segments'
  )
  return h(
    'details',
    { class: 'segments' },
    label,
    h(
      'div',
      { class: 'segment-table' },
      h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows))
    )
  )
}

function statsOf(collection) {
  const fact = (value, name) => h('span', {}, h('b', { text: value }), ` ${name}`)
  return [
    fact(format.count(collection.items), collection.items === 1 ? 'item' : 'items'),
    fact(format.count(collection.rows), collection.rows === 1 ? 'row' : 'rows'),
    collection.segments.length > 0 ? segmentsFact(collection.segments) : fact('0', 'segments'),
    h('span', { text: `${collection.index_method} · ${collection.metric}` }),
    h('span', { text: `seq ${collection.seq}` }),
    h('span', {
      class: 'embedding',
      title: collection.embedding.version,
      text: collection.embedding.version
    })
  ]
}

export function createCollections() {
  const select = byId('collection')
  const listeners = []
  let all = []
  let current = null
  let painted = null

  function paintStats() {
    const stats = byId('stats')
    const open = stats.querySelector('details')?.open ?? false
    stats.replaceChildren(...(current ? statsOf(current) : []))
    const details = stats.querySelector('details')
    if (details) details.open = open
  }

  function paint() {
    const names = all.map(({ name }) => name)
    // Replacing the options would close a list that the user has just opened.
    if (names.join() !== [...select.options].map(({ value }) => value).join())
      select.replaceChildren(...names.map((name) => h('option', { value: name, text: name })))
    select.parentElement.classList.toggle('nothing', all.length === 0)
    byId('stats').hidden = all.length === 0
    if (current) select.value = current.name
    paintStats()
    const welcome = byId('welcome')
    welcome.hidden = all.length > 0
    if (all.length > 0) return
    welcome.replaceChildren(
      h('h1', { text: 'Start with a collection' }),
      h('p', {
        text: 'A collection holds the pictures to be recognised. Make one here, or from a shell:'
      }),
      shellExample(
        `-H 'content-type: application/json' -d '{"name":"things"}' ${location.origin}/v1/collections`
      ),
      h(
        'div',
        { class: 'buttons' },
        h('button', {
          type: 'button',
          class: 'primary',
          text: 'Create a collection',
          on: { click: create }
        })
      )
    )
  }

  function choose(name) {
    const before = current
    current = all.find((collection) => collection.name === name) ?? all[0] ?? null
    if (current) localStorage.setItem(choiceSlot, current.name)
    const seen = JSON.stringify(all) + current?.name
    if (seen === painted) return
    painted = seen
    paint()
    for (const listener of listeners) listener(before?.incarnation !== current?.incarnation)
  }

  async function refresh(name = current?.name ?? localStorage.getItem(choiceSlot)) {
    const listed = await api.collections()
    all = listed.toSorted((a, b) => a.name.localeCompare(b.name))
    choose(name)
  }

  function create() {
    openCreateCollection(async (spec) => {
      await api.createCollection(spec)
      await refresh(spec.name)
    })
  }

  select.addEventListener('change', () => choose(select.value))
  byId('new-collection').addEventListener('click', create)
  return {
    current: () => current,
    refresh,
    /**
     * listener(changed): true for another collection than before, false for the same collection
     * with new counts.
     */
    onChange: (listener) => listeners.push(listener)
  }
}
