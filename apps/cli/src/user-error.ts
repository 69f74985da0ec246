// A problem that the user must solve: printed as a line without a stack trace, exit code 2.

export class UserError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UserError'
  }
}
