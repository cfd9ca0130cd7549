// SPDX-License-Identifier: Apache-2.0
import { type Translation, TRANSLATIONS } from "./policy.js";

/** How tests execute guest code: the suites run again with ISOLA_TRANSLATION=at-once, which compiles everything. */
export function testTranslation(): Translation {
  const name = process.env["ISOLA_TRANSLATION"] ?? "auto";
  const found = TRANSLATIONS.find((translation) => translation === name);
  if (found === undefined) throw new Error(`ISOLA_TRANSLATION=${name}: there are ${TRANSLATIONS.join(", ")}`);
  return found;
}
