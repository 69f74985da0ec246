// Shows what went wrong: the detail in words, the stable code, the request id to look for in the log.
import { h } from './dom.js'

/** No answer, a server in trouble, or a state that passes: the same request may succeed later. */
const mayPass = ({ status }) => status === 0 || status === 409 || status === 429 || status >= 500

/** error null clears. retry, when given, adds a button where it may help. */
export function showProblem(root, error, retry) {
  root.replaceChildren()
  if (error === null || error.name === 'AbortError') return
  const problem = error.problem ?? { code: 'page_error', detail: error.message }
  const facts = h('p', { class: 'problem-facts' }, h('code', { class: 'code', text: problem.code }))
  if (problem.status) facts.append(h('span', { text: `HTTP ${problem.status}` }))
  if (problem.request_id)
    facts.append(h('span', {}, 'request ', h('code', { text: problem.request_id })))
  root.append(
    h(
      'div',
      { class: 'problem' },
      h('p', {
        class: 'problem-detail',
        text: problem.detail || problem.title || 'The request failed.'
      }),
      facts,
      retry && mayPass(problem)
        ? h('button', { type: 'button', text: 'Try again', on: { click: retry } })
        : null
    )
  )
}
