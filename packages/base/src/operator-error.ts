// SPDX-License-Identifier: Apache-2.0

/**
 * A mistake of the person who runs Isola, or a failure of the world around it (a missing file, a full disk).
 * `message` is one line: what, where, and how to mend it. `code` is stable and may be matched by scripts.
 */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
  constructor(
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
