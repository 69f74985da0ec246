import { expect, test } from 'vitest'
import { runtimeReason } from './runtime-reason.ts'

test('of an error of the runtime, the node and the reason are told', () => {
  expect(
    runtimeReason(
      new Error(
        "Non-zero status code returned while running Reshape node. Name:'r_20' Status Message: /src/reshape_helper.h:84 Helper(const Shape&) size != 0 && (a % b) == 0 was false. The input tensor cannot be reshaped.\nInput shape:{16,8}\n"
      )
    )
  ).toBe('Reshape r_20: The input tensor cannot be reshaped. Input shape:{16,8}')
  expect(runtimeReason(new Error(' out of memory\n'))).toBe('out of memory')
})
