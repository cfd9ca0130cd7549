// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** The image contradicts itself or its format. */
export function damaged(name: string, what: string, options?: { cause?: unknown }): OperatorError {
  return new OperatorError("disk-damaged", `${name} is damaged: ${what}`, options);
}

/** The image is sound as far as one can see, but uses something that is not supported. */
export function unsupported(name: string, what: string): OperatorError {
  return new OperatorError("disk-unsupported", `${name} ${what}`);
}

export function readOnlyImage(name: string): OperatorError {
  return new OperatorError("read-only", `${name} is read-only`);
}
