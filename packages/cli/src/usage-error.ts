// SPDX-License-Identifier: Apache-2.0

/** The command line makes no sense. `message` is one line; the program ends with status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
