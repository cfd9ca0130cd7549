// SPDX-License-Identifier: Apache-2.0
import { parseControl } from "./control-file.js";

/** One `deb` source of an apt configuration, for one address. */
export interface AptSource {
  /** Base URL without a slash at its end. */
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A key ring file, or an armored key block. */
  readonly signedBy?: string;
  /** The operator said that this archive needs no signature. */
  readonly trusted: boolean;
}

function trimSlash(uri: string): string {
  return uri.replace(/\/+$/, "");
}

function yes(value: string | undefined): boolean {
  return value !== undefined && /^(?:yes|true|1|on|with|enable)$/i.test(value);
}

/** The one-line form, sources.list(5): `deb [ option=value ... ] uri suite component ...`. */
export function parseOneLineSources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const raw of text.split("\n")) {
    const match = /^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*(.*)$/.exec(raw.replace(/#.*/, "").trim());
    if (!match) continue;
    const [, optionText, uri, suite, components] = match;
    const options = new Map(
      (optionText ?? "")
        .trim()
        .split(/\s+/)
        .map((item): [string, string] => {
          const equals = item.indexOf("=");
          return [item.slice(0, equals).toLowerCase(), item.slice(equals + 1)];
        }),
    );
    const signedBy = options.get("signed-by");
    sources.push({
      uri: trimSlash(uri),
      suites: [suite],
      components: components.split(/\s+/).filter((name) => name !== ""),
      trusted: yes(options.get("trusted")),
      ...(signedBy ? { signedBy } : {}),
    });
  }
  return sources;
}

/** The deb822 form of `*.sources` files, sources.list(5). */
export function parseDeb822Sources(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const fields of parseControl(text)) {
    const words = (name: string): string[] => (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "");
    const enabled = fields.get("enabled");
    if (!words("types").includes("deb") || (enabled !== undefined && !yes(enabled))) continue;
    // In a key block, a dot alone on a line stands for an empty one (deb822(5)).
    const signedBy = fields
      .get("signed-by")
      ?.replace(/^ ?\.$/gm, "")
      .replace(/^ /gm, "")
      .trim();
    for (const uri of words("uris")) {
      sources.push({
        uri: trimSlash(uri),
        suites: words("suites"),
        components: words("components"),
        trusted: yes(fields.get("trusted")),
        ...(signedBy ? { signedBy } : {}),
      });
    }
  }
  return sources;
}
