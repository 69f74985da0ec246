// What the user has to change: printed as one line without a stack trace, exit code 2.

export class UserError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UserError'
  }
}
