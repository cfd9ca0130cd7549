// SPDX-License-Identifier: Apache-2.0
import { type Paragraph, firstParagraph } from "./control-file.js";
import { type Relation, parseRelations, versionAllowed } from "./relation.js";
import { compareVersions } from "./version-compare.js";

/** One binary package that an archive offers. */
export interface PackageRecord {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly priority: string;
  readonly essential: boolean;
  /** Base URL of the archive that offers it; `filename` is relative to it. */
  readonly archive: string;
  readonly filename: string;
  /** Size of the .deb in bytes. */
  readonly size: number;
  readonly sha256: string;
  /** Pre-Depends, then Depends. */
  readonly depends: readonly (readonly Relation[])[];
  /** Conflicts and Breaks. */
  readonly conflicts: readonly Relation[];
  readonly provides: readonly Relation[];
}

function record(fields: Paragraph, archive: string): PackageRecord | undefined {
  const get = (name: string): string => fields.get(name) ?? "";
  const size = Number(get("size"));
  const sha256 = get("sha256").toLowerCase();
  if (!get("package") || !get("version") || !get("filename")) return undefined;
  if (!Number.isSafeInteger(size) || size <= 0 || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  return {
    name: get("package"),
    version: get("version"),
    architecture: get("architecture"),
    priority: get("priority"),
    essential: get("essential") === "yes",
    archive,
    filename: get("filename"),
    size,
    sha256,
    depends: [...parseRelations(fields.get("pre-depends")), ...parseRelations(fields.get("depends"))],
    conflicts: [...parseRelations(fields.get("conflicts")), ...parseRelations(fields.get("breaks"))].flat(),
    provides: parseRelations(fields.get("provides")).flat(),
  };
}

/** A field of a paragraph that is still text: a full parse of 60 000 paragraphs would cost seconds. */
function rawField(paragraph: string, name: string): string {
  const at = paragraph.startsWith(`${name}:`) ? 0 : paragraph.indexOf(`\n${name}:`) + 1;
  if (at === 0 && !paragraph.startsWith(`${name}:`)) return "";
  const end = paragraph.indexOf("\n", at);
  return paragraph.slice(at + name.length + 1, end < 0 ? undefined : end).trim();
}

/** The packages of several archives, newest version of each name; paragraphs are parsed when first asked for. */
export class PackageIndex {
  private readonly newest = new Map<string, { version: string; paragraph: string; archive: string }>();
  private readonly parsed = new Map<string, PackageRecord | undefined>();
  private readonly providers = new Map<string, Set<string>>();

  /** Adds the text of a `Packages` file from the archive with base URL `archive`. */
  add(text: string, archive: string): void {
    for (let start = 0; start < text.length;) {
      const gap = text.indexOf("\n\n", start);
      const end = gap < 0 ? text.length : gap;
      this.addParagraph(text.slice(start, end).trimStart(), archive);
      start = end + 2;
    }
    this.parsed.clear();
  }

  private addParagraph(paragraph: string, archive: string): void {
    const name = rawField(paragraph, "Package");
    const version = rawField(paragraph, "Version");
    if (!name || !version) return;
    for (const { name: virtual } of parseRelations(rawField(paragraph, "Provides")).flat()) {
      const names = this.providers.get(virtual) ?? new Set();
      this.providers.set(virtual, names.add(name));
    }
    const known = this.newest.get(name);
    if (!known || compareVersions(known.version, version) < 0) this.newest.set(name, { version, paragraph, archive });
  }

  /** How many packages there are. */
  get size(): number {
    return this.newest.size;
  }

  get(name: string): PackageRecord | undefined {
    const known = this.newest.get(name);
    if (!known) return undefined;
    if (!this.parsed.has(name)) this.parsed.set(name, record(firstParagraph(known.paragraph), known.archive));
    return this.parsed.get(name);
  }

  /** Every package that is `Essential: yes` or has one of the priorities. */
  *base(priorities: readonly string[]): Generator<PackageRecord> {
    for (const [name, { paragraph }] of this.newest) {
      if (!paragraph.includes("\nEssential: yes") && !priorities.includes(rawField(paragraph, "Priority"))) continue;
      const found = this.get(name);
      if (found) yield found;
    }
  }

  /** The packages that satisfy `relation`: the one of that name first, then those that provide it, best first. */
  candidates(relation: Relation): PackageRecord[] {
    const real = this.get(relation.name);
    const found = real && versionAllowed(relation, real.version) ? [real] : [];
    const rank = (item: PackageRecord): number => {
      const at = ["required", "important", "standard"].indexOf(item.priority);
      return at < 0 ? 3 : at;
    };
    const virtual = [...(this.providers.get(relation.name) ?? [])]
      .map((name) => this.get(name))
      .filter((item) => item !== undefined && item !== real && provides(item, relation))
      .filter((item) => item !== undefined);
    virtual.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
    return [...found, ...virtual];
  }
}

/** Whether `item` provides what `relation` names; an unversioned provision satisfies no version restriction. */
export function provides(item: PackageRecord, relation: Relation): boolean {
  return item.provides.some(
    ({ name, version }) =>
      name === relation.name &&
      (relation.operator === undefined || (version !== undefined && versionAllowed(relation, version))),
  );
}
