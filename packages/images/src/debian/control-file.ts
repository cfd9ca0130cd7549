// SPDX-License-Identifier: Apache-2.0

/** One paragraph of a control file; field names are case-insensitive and stored in lower case. */
export type Paragraph = ReadonlyMap<string, string>;

/**
 * The paragraphs of a control file (deb822(5)): `Field: value`, continuation lines start with blank space, an empty
 * line ends a paragraph, `#` starts a comment line. The value keeps its line breaks, without the leading blank of each
 * continuation line. Lines that are none of these are skipped, as a mirror's index is data that others wrote.
 */
export function* parseControl(text: string): Generator<Paragraph> {
  let fields = new Map<string, string>();
  let current: string | undefined;
  for (let start = 0; start <= text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trimEnd();
    start = end + 1;
    if (line === "") {
      if (fields.size > 0) yield fields;
      fields = new Map();
      current = undefined;
    } else if (line.startsWith("#")) {
      continue;
    } else if (line.startsWith(" ") || line.startsWith("\t")) {
      if (current !== undefined) fields.set(current, `${fields.get(current) ?? ""}\n${line.slice(1)}`);
    } else {
      const colon = line.indexOf(":");
      current = colon > 0 ? line.slice(0, colon).toLowerCase() : undefined;
      if (current !== undefined) fields.set(current, line.slice(colon + 1).trim());
    }
  }
  if (fields.size > 0) yield fields;
}

/** The first paragraph, or an empty one. */
export function firstParagraph(text: string): Paragraph {
  for (const paragraph of parseControl(text)) return paragraph;
  return new Map();
}
