// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ErrorMessage } from "./protocol.js";

/** Makes an error into plain data, since browsers lose its class on the way. */
export function toMessage(error: unknown): ErrorMessage {
  return {
    code: error instanceof OperatorError ? error.code : null,
    message: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? (error.stack ?? null) : null,
  };
}

/** The error that a message stands for. */
export function fromMessage({ code, message, stack }: ErrorMessage): Error {
  if (code !== null) return new OperatorError(code, message);
  const error = new Error(message);
  if (stack !== null) error.stack = stack;
  return error;
}
