// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { type PackageIndex, type PackageRecord, provides } from "./package-index.js";
import { type Relation, versionAllowed } from "./relation.js";

export interface ResolveRequest {
  /** Packages that must be there, by name. */
  readonly packages: readonly string[];
  /** Priorities of which every package is taken, next to `Essential: yes`; empty takes no base system at all. */
  readonly priorities: readonly string[];
  /** Packages that are never taken, not even by priority. */
  readonly exclude: readonly string[];
}

function satisfies(item: PackageRecord, relation: Relation): boolean {
  return (item.name === relation.name && versionAllowed(relation, item.version)) || provides(item, relation);
}

function describe(group: readonly Relation[]): string {
  return group.map(({ name, operator, version }) => (operator ? `${name} (${operator} ${version})` : name)).join(" | ");
}

/**
 * The closed set of packages for a request, without Recommends: of each group of alternatives the first that can be
 * taken, unless one already chosen satisfies it. Names asked for come first, so they decide between alternatives. The
 * result is sorted by name; what cannot be satisfied, or conflicts, is an OperatorError that names both sides.
 */
export function resolvePackages(index: PackageIndex, request: ResolveRequest): PackageRecord[] {
  const chosen = new Map<string, PackageRecord>();
  const excluded = new Set(request.exclude);
  const queue: PackageRecord[] = [];

  const conflictWith = (item: PackageRecord): PackageRecord | undefined => {
    for (const other of chosen.values()) {
      if (other.name === item.name) continue;
      if (item.conflicts.some((relation) => satisfies(other, relation))) return other;
      if (other.conflicts.some((relation) => satisfies(item, relation))) return other;
    }
    return undefined;
  };
  const take = (item: PackageRecord): void => {
    if (chosen.has(item.name)) return;
    chosen.set(item.name, item);
    queue.push(item);
  };

  for (const name of request.packages) {
    const item = index.get(name);
    if (!item) {
      throw new OperatorError(
        "PACKAGE_NOT_FOUND",
        `the archive has no package ${name}: check the recipe or the mirror`,
      );
    }
    take(item);
  }
  if (request.priorities.length > 0) {
    for (const item of index.base(request.priorities)) if (!excluded.has(item.name)) take(item);
  }

  for (let item = queue.shift(); item; item = queue.shift()) {
    for (const group of item.depends) {
      if ([...chosen.values()].some((other) => group.some((relation) => satisfies(other, relation)))) continue;
      const offered = group.flatMap((relation) => index.candidates(relation));
      const usable = offered.find((candidate) => !excluded.has(candidate.name) && !conflictWith(candidate));
      if (!usable) {
        throw new OperatorError(
          "DEPENDENCY_UNSATISFIED",
          `${item.name} ${item.version} needs ${describe(group)}, which the archive lacks: check the mirror's suites`,
        );
      }
      take(usable);
    }
  }

  for (const item of chosen.values()) {
    const other = conflictWith(item);
    if (other) {
      throw new OperatorError(
        "DEPENDENCY_CONFLICT",
        `${item.name} and ${other.name} exclude each other: change the recipe`,
      );
    }
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
