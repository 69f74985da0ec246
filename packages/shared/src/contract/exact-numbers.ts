// Whole numbers that JSON text can hold and a double cannot. JSON.parse rounds them before any
// check can see the digits, so a number in that range is refused: two ids could become one.

/** Whether the digits that a client sent may be lost: a whole number beyond 2^53. */
export const isLostNumber = (value: number): boolean =>
  Number.isInteger(value) && !Number.isSafeInteger(value)

export const lostNumber =
  'a whole number beyond 2^53 (9007199254740992) loses digits: send it as text, in quotes'
