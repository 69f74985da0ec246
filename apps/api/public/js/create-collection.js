// The dialog that makes a collection.
import { openDialog } from './dialog.js'
import { h } from './dom.js'

const methods = [
  ['HNSW32', 'graph, fast at any size'],
  ['IVF', 'lists, small in memory'],
  ['FLAT', 'exact, for up to some 100,000 rows']
]
const profiles = [
  ['general', 'things of any kind'],
  ['product', 'goods, with no person taken for one'],
  ['vehicle', 'the main vehicle of a picture'],
  ['logo', 'marks: turned, small, transparent']
]
const metrics = [
  ['IP', 'inner product'],
  ['cosine', 'angle only'],
  ['L2', 'Euclidean distance'],
  ['hamming', 'signs only, a bit each']
]

const choice = (name, options) =>
  h(
    'select',
    { name },
    ...options.map(([value, meaning]) => h('option', { value, text: `${value} (${meaning})` }))
  )

/** onCreate({name, profile, index_method, metric}) may throw. The dialog then shows the problem. */
export function openCreateCollection(onCreate) {
  const name = h('input', {
    name: 'name',
    required: true,
    pattern: '[a-z0-9][a-z0-9._\\-]{0,62}',
    maxlength: '63',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    placeholder: 'things',
    autofocus: true,
    'aria-describedby': 'name-help'
  })
  const profile = choice('profile', profiles)
  const method = choice('index_method', methods)
  const metric = choice('metric', metrics)
  openDialog({
    title: 'New collection',
    body: [
      h('label', { class: 'field' }, 'Name', name),
      h('p', {
        class: 'hint',
        id: 'name-help',
        text: 'a to z, 0 to 9, dot, dash, underscore; starts with a letter or digit'
      }),
      h('label', { class: 'field' }, 'Profile', profile),
      h('label', { class: 'field' }, 'Index', method),
      h('label', { class: 'field' }, 'Metric', metric),
      h('p', { class: 'hint', text: 'None of these can be changed later.' })
    ],
    action: 'Create',
    onSubmit: () =>
      onCreate({
        name: name.value,
        profile: profile.value,
        index_method: method.value,
        metric: metric.value
      })
  })
}
