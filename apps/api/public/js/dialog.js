// One modal dialog: title, body, cancel and one action. Closes when the action succeeds, shows the problem when it fails.
import { h } from './dom.js'
import { showProblem } from './problem.js'

/** onSubmit may be async; throwing keeps the dialog open with the problem in it. tone 'danger' marks what cannot be undone. */
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
