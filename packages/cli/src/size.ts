// SPDX-License-Identifier: Apache-2.0
import { UsageError } from "./usage-error.js";

const UNITS: { readonly [unit: string]: number } = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes in a size such as `512M`, `2G` or `1.5GiB`; a bare number counts MiB. `what` names it in the message. */
export function parseSize(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT])?(?:i?B)?$/i.exec(text.trim());
  if (match === null) throw new UsageError(`${what}: "${text}" is no size; write for example 512M or 2G`);
  const unit = UNITS[(match[2] ?? "M").toUpperCase()] ?? 1;
  const bytes = Number(match[1]) * unit;
  if (!Number.isInteger(bytes)) throw new UsageError(`${what}: "${text}" is not a whole number of bytes`);
  return bytes;
}

/** A whole number from `min` to `max`, decimal or with 0x. */
export function parseInteger(text: string, what: string, min: number, max: number): number {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`${what}: "${text}" is not a whole number from ${min} to ${max}`);
  return value;
}
