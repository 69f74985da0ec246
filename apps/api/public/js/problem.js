// Shows a problem: the detail in words, the stable code, and the request id to look for in the log.
import { h } from './dom.js'

/**
 * The problem may pass: there was no answer, the server is in trouble, or the state is temporary.
 * The same request may succeed later.
 */
const mayPass = ({ status }) => status === 0 || status === 409 || status === 429 || status >= 500

/** error null clears the problem. `retry`, when given, adds a button where a retry may help. */
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
