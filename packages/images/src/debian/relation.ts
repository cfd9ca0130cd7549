// SPDX-License-Identifier: Apache-2.0
import { compareVersions } from "./version-compare.js";

export type VersionOperator = "<<" | "<=" | "=" | ">=" | ">>";

/** One package name of a relationship field, with its version restriction if it has one. */
export interface Relation {
  readonly name: string;
  readonly operator?: VersionOperator;
  readonly version?: string;
}

const RELATION =
  /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^)\s]+)\s*\))?\s*(?:\[.*\])?$/;

function parseRelation(text: string): Relation | undefined {
  const match = RELATION.exec(text.trim());
  if (!match) return undefined;
  const [, name, operator, version] = match;
  if (operator === undefined) return { name };
  // A single < or > is an obsolete way to write <= and >= (deb-control(5)).
  const full = operator === "<" ? "<=" : operator === ">" ? ">=" : (operator as VersionOperator);
  return { name, operator: full, version };
}

/**
 * A Depends-like field: groups separated by commas, each a list of alternatives. Architecture qualifiers such as `:any`
 * are dropped, since one machine has one architecture here. A relation that does not parse makes its group empty, which
 * nothing satisfies.
 */
export function parseRelations(field: string | undefined): Relation[][] {
  if (!field) return [];
  return field
    .split(",")
    .map((group) => group.trim())
    .filter((group) => group !== "")
    .map((group) =>
      group
        .split("|")
        .map(parseRelation)
        .filter((relation) => relation !== undefined),
    );
}

/** Whether `version` lies within the relation's restriction. */
export function versionAllowed(relation: Relation, version: string): boolean {
  if (relation.operator === undefined || relation.version === undefined) return true;
  const order = compareVersions(version, relation.version);
  switch (relation.operator) {
    case "<<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    case ">>":
      return order > 0;
  }
}
