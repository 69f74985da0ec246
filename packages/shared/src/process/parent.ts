// The parent of a forked process: it may end at any moment, also while this process still loads.

/**
 * Calls back when the parent is gone, at once when it has ended already. Never, where no parent has
 * forked this process.
 */
export function onParentGone(callback: () => void): void {
  process.on('disconnect', callback)
  // The event came before anybody listened.
  if (process.connected === false) callback()
}

/** Sends a message to the parent. Does nothing when the parent is gone, or was never there. */
export function tellParent(message: object): void {
  // Without a callback, a message to a parent that is gone would be an uncaught error.
  process.send?.(message, undefined, undefined, () => undefined)
}
