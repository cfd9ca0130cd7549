// SPDX-License-Identifier: Apache-2.0

/** A bug of ours, never a guest's or an operator's fault: it stops the one machine in which it happened. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** Throws {@link InternalError} unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

/** Closes a `switch` over a union: reaching it at run time is a bug. */
export function assertNever(value: never): never {
  throw new InternalError(`unexpected value ${String(value)}`);
}
