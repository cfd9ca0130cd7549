// SPDX-License-Identifier: Apache-2.0
// The lines by which guests say on their consoles what they do:
//   @list NAME...             the work that there is
//   @begin NAME [COUNT UNIT]  the time starts here; so much will be moved
//   @end NAME [CHECKSUM]      the time ends here; without a checksum, @sum follows
//   @sum NAME CHECKSUM
//   @absent NAME              this machine cannot do it: its processor lacks the instructions
//   @failed NAME REASON       instead of any line that is due

/** What is due next from a guest that was told to do some work. */
export type Due = "begin" | "end" | "sum";

const DUE: { readonly [K in Due]: string } = { begin: "begin|absent", end: "end", sum: "sum" };

/** Finds the line that is due: group 1 is what it says, group 2 the rest of it. */
export function markPattern(due: Due, name: string): RegExp {
  return new RegExp(`^@(${DUE[due]}|failed) ${name}(?: ([^\\r\\n]*))?\\r?\\n`, "m");
}

export const LIST_PATTERN = /^@list((?: \S+)*)\r?\n/m;

/** The names of a list, from the first group of LIST_PATTERN. */
export function listedNames(group: string): string[] {
  return group.split(" ").filter((name) => name !== "");
}
