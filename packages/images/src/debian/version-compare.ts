// SPDX-License-Identifier: Apache-2.0

/** deb-version(7): letters sort before other characters, `~` before everything, the end of a part included. */
function weight(code: number): number {
  if (code === 0x7e) return -1;
  if (Number.isNaN(code) || isDigit(code)) return 0;
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return letter ? code : code + 256;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Compares two upstream or revision parts: alternating runs of non-digits and of digits. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const difference = weight(a.charCodeAt(i)) - weight(b.charCodeAt(j));
      if (difference !== 0) return Math.sign(difference);
      i++;
      j++;
    }
    while (a.charCodeAt(i) === 0x30) i++;
    while (b.charCodeAt(j) === 0x30) j++;
    const startA = i;
    const startB = j;
    while (isDigit(a.charCodeAt(i))) i++;
    while (isDigit(b.charCodeAt(j))) j++;
    if (i - startA !== j - startB) return Math.sign(i - startA - (j - startB));
    const digitsA = a.slice(startA, i);
    const digitsB = b.slice(startB, j);
    if (digitsA !== digitsB) return digitsA < digitsB ? -1 : 1;
  }
  return 0;
}

function split(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon < 0 ? "0" : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? "" : rest.slice(dash + 1),
  };
}

/** Order of two Debian versions `[epoch:]upstream[-revision]`: negative, zero or positive (deb-version(7)). */
export function compareVersions(a: string, b: string): number {
  const left = split(a);
  const right = split(b);
  return (
    comparePart(left.epoch, right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}
