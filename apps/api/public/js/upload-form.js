// Adds pictures to the collection: many at once under the same label, sent in portions.
import { api } from './api.js'
import { byId, setText } from './dom.js'
import * as format from './format.js'
import { showProblem } from './problem.js'

const portionFiles = 200
const portionBytes = 64 * 2 ** 20

function portionsOf(files) {
  const portions = []
  let sizeBytes = Infinity
  for (const file of files) {
    const last = portions.at(-1)
    if (last === undefined || last.length >= portionFiles || sizeBytes + file.size > portionBytes) {
      portions.push([file])
      sizeBytes = file.size
    } else {
      last.push(file)
      sizeBytes += file.size
    }
  }
  return portions
}

/** label and id go before their file: the API reads the form as a stream. */
function formOf(files, label, id) {
  const form = new FormData()
  for (const file of files) {
    if (label !== '') form.append('label', label)
    if (id !== '') form.append('id', id)
    form.append('image', file, file.name)
  }
  return form
}

export function createUploadForm({ collections, onAdded }) {
  const form = byId('upload')
  const label = byId('upload-label')
  const id = byId('upload-id')
  const submit = form.querySelector('[type=submit]')
  let files = []
  let sending = false

  function paint() {
    const bytes = files.reduce((sum, file) => sum + file.size, 0)
    setText(byId('upload-collection'), collections.current()?.name ?? '')
    const sum = `${format.count(files.length)} pictures, ${format.count(Math.ceil(bytes / 2 ** 20))} MB`
    setText(byId('upload-chosen'), files.length > 1 ? sum : (files[0]?.name ?? ''))
    submit.textContent = files.length > 1 ? `Add ${format.count(files.length)} pictures` : 'Add'
    submit.disabled = sending || files.length === 0
    id.disabled = files.length > 1
    if (files.length > 1) id.value = ''
  }

  function take(next) {
    if (sending) return
    files = [...next]
    setText(byId('upload-status'), '')
    paint()
  }

  async function send(collection) {
    const total = files.length
    let sent = 0
    for (const portion of portionsOf(files)) {
      setText(
        byId('upload-status'),
        total > portion.length
          ? `Sending ${format.count(sent)} of ${format.count(total)}…`
          : 'Sending…'
      )
      await api.addImages(collection, formOf(portion, label.value.trim(), id.value.trim()))
      sent += portion.length
      files = files.slice(portion.length)
      onAdded()
    }
    setText(byId('upload-status'), `${format.plural(sent, 'picture', 'pictures')} accepted.`)
    id.value = ''
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const collection = collections.current()
    if (collection === null || files.length === 0) return
    sending = true
    showProblem(byId('upload-problem'), null)
    paint()
    try {
      await send(collection.name)
    } catch (error) {
      setText(
        byId('upload-status'),
        files.length > 1 ? `${format.count(files.length)} pictures were not sent.` : ''
      )
      showProblem(byId('upload-problem'), error)
    } finally {
      sending = false
      paint()
    }
  })
  byId('upload-choose').addEventListener('click', () => byId('upload-files').click())
  byId('upload-files').addEventListener('change', (event) => {
    take(event.target.files)
    event.target.value = ''
  })
  collections.onChange(paint)
  return { take }
}
