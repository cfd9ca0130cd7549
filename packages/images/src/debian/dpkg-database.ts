// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { contentChunks } from "../tree/content-reader.js";
import type { FileTree } from "../tree/file-tree.js";
import { firstParagraph } from "./control-file.js";
import type { ControlMember } from "./deb-archive.js";

const DPKG = "var/lib/dpkg";

function text(member: ControlMember | undefined): string {
  return member ? Buffer.from(member.bytes).toString("utf8") : "";
}

function lines(member: ControlMember | undefined): string[] {
  return text(member)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * Writes dpkg's database for packages whose files are already in the tree: the state that `dpkg --unpack` would leave.
 * A package without a `postinst` has nothing to configure and is recorded as installed.
 */
export class DpkgDatabase {
  private readonly status: string[] = [];
  private readonly fileTriggers: string[] = [];
  private readonly triggers = new Map<string, string[]>();
  private unpacked = 0;

  constructor(private readonly tree: FileTree) {}

  /** How many packages still have to be configured. */
  get pending(): number {
    return this.unpacked;
  }

  /** Records one package: its control archive, and the paths of its data archive in their order. */
  async add(control: ReadonlyMap<string, ControlMember>, paths: readonly string[]): Promise<void> {
    const paragraph = text(control.get("control")).trim();
    const fields = firstParagraph(paragraph);
    const name = fields.get("package") ?? "";
    const same = fields.get("multi-arch") === "same";
    const stem = `${DPKG}/info/${same ? `${name}:${fields.get("architecture") ?? ""}` : name}`;
    for (const member of control.values()) {
      if (member.name === "control") continue;
      const content = { kind: "bytes", bytes: member.bytes, length: member.bytes.length } as const;
      this.tree.file(`${stem}.${member.name}`, content, { mode: member.mode & 0o111 ? 0o755 : 0o644 });
    }
    this.tree.file(`${stem}.list`, paths.map((path) => `${path}\n`).join(""));
    for (const line of lines(control.get("triggers")))
      this.interest(line, same ? `${name}:${fields.get("architecture") ?? ""}` : name);
    const configure = control.has("postinst");
    if (configure) this.unpacked++;
    const [first, ...rest] = paragraph.split("\n");
    const state = `Status: install ok ${configure ? "unpacked" : "installed"}`;
    this.status.push([first, state, ...rest, ...(await this.conffiles(control.get("conffiles")))].join("\n"));
  }

  /** Writes the parts that join all packages. */
  finish(): void {
    this.tree.file(`${DPKG}/status`, this.status.map((entry) => `${entry}\n\n`).join(""));
    this.tree.file(`${DPKG}/info/format`, "1\n");
    this.tree.file(`${DPKG}/triggers/File`, this.fileTriggers.sort().join(""));
    for (const [name, packages] of this.triggers) this.tree.file(`${DPKG}/triggers/${name}`, packages.sort().join(""));
    for (const name of ["available", "diversions", "statoverride"]) {
      if (!this.tree.lookup(`${DPKG}/${name}`)) this.tree.file(`${DPKG}/${name}`, "");
    }
    for (const name of ["updates", "parts", "alternatives"]) this.tree.directory(`${DPKG}/${name}`);
  }

  /** deb-triggers(5): `interest[-await|-noawait] <name or path>`. */
  private interest(line: string, name: string): void {
    const match = /^interest(-noawait|-await)?\s+(\S+)$/.exec(line);
    if (!match) return;
    const entry = match[1] === "-noawait" ? `${name}/noawait` : name;
    if (match[2].startsWith("/")) this.fileTriggers.push(`${match[2]} ${entry}\n`);
    else if (!match[2].includes("/"))
      this.triggers.set(match[2], [...(this.triggers.get(match[2]) ?? []), `${entry}\n`]);
  }

  /** The Conffiles field, with the hashes that tell dpkg later whether somebody changed them. */
  private async conffiles(member: ControlMember | undefined): Promise<string[]> {
    const entries: string[] = [];
    for (const path of lines(member)) {
      if (!path.startsWith("/")) continue;
      const node = this.tree.resolve(path.slice(1));
      if (node?.kind !== "file") continue;
      const hash = createHash("md5");
      for await (const chunk of contentChunks(node.content)) hash.update(chunk);
      entries.push(` ${path} ${hash.digest("hex")}`);
    }
    return entries.length > 0 ? ["Conffiles:", ...entries] : [];
  }
}
