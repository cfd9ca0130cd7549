// SPDX-License-Identifier: Apache-2.0

/** One `path-exclude` or `path-include` line of dpkg.cfg(5). */
export interface PathRule {
  readonly action: "exclude" | "include";
  /** A glob on the absolute path, in which `*` also matches slashes, as fnmatch(3) without FNM_PATHNAME. */
  readonly pattern: string;
}

/** dpkg's path filter: the last rule that matches decides; without one the path is kept. */
export function pathFilter(rules: readonly PathRule[]): (path: string) => boolean {
  const compiled = rules.map(({ action, pattern }) => {
    const source = pattern
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replaceAll("*", "[^]*")
      .replaceAll("?", "[^]");
    return { keep: action === "include", expression: new RegExp(`^${source}$`) };
  });
  return (path) => compiled.findLast(({ expression }) => expression.test(path))?.keep ?? true;
}

/** The same rules as the text of a dpkg configuration file, so that later installations follow them too. */
export function dpkgConfiguration(rules: readonly PathRule[]): string {
  return rules.map(({ action, pattern }) => `path-${action}=${pattern}\n`).join("");
}
