// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** What browsers call their failures (Web IDL, DOMException names), and what a person can do about them. */
const REASONS: { readonly [name: string]: string } = {
  QuotaExceededError: "the browser gives this site no more room; delete a disk, or make room on the computer",
  NoModificationAllowedError: "it is in use in another tab; close that one first",
  NotFoundError: "it is not there any more",
  NotReadableError: "it cannot be read; it may have been moved or changed since it was chosen",
  SecurityError: "the browser does not allow this site to store anything (a private window, perhaps)",
  NotAllowedError: "the browser does not allow it",
};

/** One line about something that the browser refused: what was tried, and why it failed. */
export function browserError(what: string, error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  const name = error instanceof Error ? error.name : "";
  const reason = REASONS[name] ?? (error instanceof Error ? error.message : String(error));
  return new OperatorError("browser-error", `cannot ${what}: ${reason}`, { cause: error });
}
