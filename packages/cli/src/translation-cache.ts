// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TranslationFile } from "@isola/host-node";
import { defaultCacheDir } from "@isola/images";
import type { EngineModules } from "@isola/isa-x86";
import type { TranslationCache } from "@isola/machine";
import type { MachineRequest } from "./machine-request.js";

const MIB = 1 << 20;
/** Of one guest, and of all files in the cache directory. */
const MAX_BYTES = 64 * MIB;
const MAX_DIRECTORY = 512 * MIB;

/** Compiled guest code from earlier runs, and for later ones. */
export interface TranslationSession {
  /** For the machine. */
  readonly port: TranslationCache;
  save(pieces: Iterable<Uint8Array>): void;
  /** The machine needs nothing any more. */
  close(): void;
}

/** Opens what is kept for a guest; null if nothing is to be kept. */
export function openTranslations(request: MachineRequest, modules: EngineModules): TranslationSession | null {
  const { translationCache: path } = request;
  if (path === null) return null;
  const version = versionOf(modules);
  const isShared = path === "auto";
  const file = isShared
    ? TranslationFile.inDirectory(join(defaultCacheDir(process.env), "translations"), guestName(request), version)
    : new TranslationFile(path, version);
  const code = file.open();
  return {
    port: { code, maxBytes: MAX_BYTES },
    save(pieces) {
      file.write(pieces);
      if (isShared) file.tidy(MAX_DIRECTORY - MAX_BYTES);
    },
    close: () => code.close(),
  };
}

/** Programs that may generate different code have different versions: that of this file, and of the engine's modules. */
function versionOf({ helpers, interpreter }: EngineModules): string {
  const hash = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  return hash.update(helpers).update(interpreter).digest("hex");
}

/** Guests that start from the same files execute much the same code. A wrong guess costs time only. */
function guestName({ config, files, disks }: MachineRequest): string {
  const paths = [...files, ...disks.map(({ path }) => path)].map((path) => {
    try {
      return realpathSync(path);
    } catch {
      return path;
    }
  });
  return JSON.stringify([config.preset, ...paths]);
}
