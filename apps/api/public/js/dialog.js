// A modal dialog: title, body, cancel and a single action. The dialog closes when the action
// succeeds, and shows the problem when the action fails.
import { h } from './dom.js'
import { showProblem } from './problem.js'

/**
 * onSubmit may be async. When onSubmit throws, the dialog stays open and shows the problem. Tone
 * 'danger' marks an action that cannot be undone.
 */
export function openDialog({
  title,
  body,
  action,
  tone = 'primary',
  onSubmit,
  onClose = () => {},
  wide = false,
  leave = 'Cancel'
}) {
  const problem = h('div', { role: 'alert' })
  const submit = h('button', { type: 'submit', class: tone, text: action })
  const cancel = h('button', { type: 'button', text: leave, on: { click: () => dialog.close() } })
  const heading = h('h2', { text: title, id: `dialog-${Date.now()}` })
  const form = h(
    'form',
    { method: 'dialog' },
    heading,
    ...body,
    h('div', {}, problem, h('div', { class: 'buttons end' }, cancel, submit))
  )
  const dialog = h('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': heading.id }, form)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    showProblem(problem, null)
    submit.disabled = true
    try {
      await onSubmit()
      dialog.close()
    } catch (error) {
      showProblem(problem, error)
    } finally {
      submit.disabled = false
    }
  })
  dialog.addEventListener('close', () => {
    dialog.remove()
    onClose()
  })
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}
