// Asks for the API key when the server answers 401.
import { openDialog } from './dialog.js'
import { h } from './dom.js'

/** Resolves with the key that was typed, or null when the user gave up. */
export function askForKey(wasRefused) {
  return new Promise((resolve) => {
    const input = h('input', {
      type: 'password',
      name: 'key',
      required: true,
      autocomplete: 'off',
      autofocus: true
    })
    let key = null
    openDialog({
      title: 'This server asks for a key',
      body: [
        wasRefused
          ? h('p', { class: 'problem-line', role: 'alert', text: 'That key was not accepted.' })
          : null,
        h('label', { class: 'field' }, 'API key', input),
        h('p', { class: 'hint', text: 'Kept in this tab only, until it is closed.' })
      ],
      action: 'Use this key',
      onSubmit: () => {
        key = input.value.trim() || null
      },
      onClose: () => resolve(key)
    })
  })
}
