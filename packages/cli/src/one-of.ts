// SPDX-License-Identifier: Apache-2.0
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** The known word that `text` is. Throws UsageError, with a suggestion, if it is none of them. */
export function oneOf<T extends string>(text: string, option: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `--${option}: there is no "${text}"${didYouMean(text, known) || `; there are ${known.join(", ")}`}`,
  );
}
