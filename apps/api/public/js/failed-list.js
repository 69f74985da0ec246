// The failed items of a job: fetched page by page when the list is opened. Ids and messages come
// from users, so they are shown as text only.
import { h, setText } from './dom.js'
import * as format from './format.js'
import { showProblem } from './problem.js'

/** loadAfter(ordinal | undefined) answers a job whose `failed` starts after that ordinal. */
export function createFailedList(loadAfter) {
  const summary = h('summary')
  const body = h('tbody')
  const head = h(
    'tr',
    {},
    ...['#', 'id', 'code', 'message'].map((text) => h('th', { scope: 'col', text }))
  )
  const more = h('button', {
    type: 'button',
    text: 'Show more',
    hidden: true,
    on: { click: () => void load() }
  })
  const problem = h('div', { role: 'alert' })
  const root = h(
    'details',
    { class: 'failed', hidden: true },
    summary,
    h('div', { class: 'failed-table' }, h('table', {}, h('thead', {}, head), body)),
    more,
    problem
  )
  let total = 0
  let last
  let generation = 0
  let loading = null // the generation being loaded

  function rowOf(item) {
    const place =
      item.line === null || item.line === undefined ? String(item.ordinal + 1) : `line ${item.line}`
    return h(
      'tr',
      {},
      h('td', { text: place }),
      h('td', { class: 'failed-id', text: item.id }),
      h('td', {}, h('code', { class: 'code', text: item.code })),
      h('td', { text: item.message })
    )
  }

  async function load() {
    const mine = generation
    if (loading === mine) return
    loading = mine
    try {
      const { failed } = await loadAfter(last)
      if (mine !== generation) return
      body.append(...failed.map(rowOf))
      last = failed.at(-1)?.ordinal ?? last
      more.hidden = failed.length === 0 || body.children.length >= total
      showProblem(problem, null)
    } catch (error) {
      if (mine === generation) showProblem(problem, error, () => void load())
    } finally {
      if (loading === mine) loading = null
    }
  }

  /**
   * Starts the list anew and drops answers that are still on their way. While a job runs, an
   * earlier ordinal may still fail.
   */
  function reload() {
    generation += 1
    last = undefined
    body.replaceChildren()
    void load()
  }

  root.addEventListener('toggle', () => {
    if (root.open) reload()
  })
  return {
    root,
    update(failedCount) {
      root.hidden = failedCount === 0
      setText(summary, format.plural(failedCount, 'picture failed', 'pictures failed'))
      if (failedCount === total) return
      total = failedCount
      if (root.open) reload()
    }
  }
}
