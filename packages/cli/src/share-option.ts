// SPDX-License-Identifier: Apache-2.0
import { SharedFolder } from "@isola/host-node";
import type { FileTree } from "@isola/ports";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { UsageError } from "./usage-error.js";

export const SHARE_OPTIONS: OptionSpecs = {
  share: {
    value: "FOLDER:TAG[,ro]",
    many: true,
    help: "let the guest mount a folder of this host by TAG (virtiofs); images of ours do so at /mnt/TAG; ro: read only",
  },
};

/** A folder that a guest can mount. */
export interface ShareOption {
  readonly path: string;
  readonly tag: string;
  readonly readOnly: boolean;
}

function parseShare(text: string): ShareOption {
  const [, path = "", tag = "", readOnly] = /^(.+):([^:,]+)(,ro)?$/s.exec(text) ?? [];
  if (path === "") throw new UsageError(`--share: "${text}" is not like src:work or /data:data,ro`);
  return { path, tag, readOnly: readOnly !== undefined };
}

/** Throws UsageError if the options make no sense. */
export function shareOptions(line: CommandLine): ShareOption[] {
  return line.all("share").map(parseShare);
}

/** Opens all of them, or none: those already open are closed if one fails. */
export async function openShares(shares: readonly ShareOption[]): Promise<FileTree[]> {
  const open: FileTree[] = [];
  try {
    for (const { path, readOnly } of shares) open.push(await SharedFolder.open(path, readOnly));
    return open;
  } catch (error) {
    for (const tree of open) await tree.close();
    throw error;
  }
}
