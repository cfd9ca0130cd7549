// SPDX-License-Identifier: Apache-2.0
import { openSync, readFileSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { OperatorError } from "@isola/base";
import { hostEntropy, hostWasm, monotonicClock, orFileError } from "@isola/host-node";
import type { EngineModules } from "@isola/isa-x86";
import type { ByteSink, Log } from "@isola/ports";

/** Contents of a file that a machine boots from. */
export function readBootFile(path: string): Uint8Array {
  return orFileError("read", path, () => readFileSync(path));
}

const STANDARD_ERROR = 2;

/** Writes bytes to a new file, or to standard error for `-`. What does not fit there is lost: the machine goes on. */
export function fileSink(path: string): ByteSink {
  const descriptor = path === "-" ? STANDARD_ERROR : orFileError("write", path, () => openSync(path, "w"));
  return {
    write(bytes) {
      try {
        writeSync(descriptor, bytes);
      } catch {
        // A full disk must not end the machine for the sake of its log.
      }
    },
  };
}

function readModule(name: string): Uint8Array {
  try {
    return readFileSync(new URL(name, import.meta.url));
  } catch (error) {
    throw new OperatorError("engine-missing", `${name} is missing beside this program; run "npm run build"`, {
      cause: error,
    });
  }
}

/** The engine's binary modules, which the build puts beside this program. */
export function readEngineModules(): EngineModules {
  return { helpers: readModule("helpers.wasm"), interpreter: readModule("interpreter.wasm") };
}

/** Warnings go to standard error, details nowhere. */
export const stderrLog: Log = {
  warn: (message) => void process.stderr.write(`isola: warning: ${message}\r\n`),
  debug: () => {},
};

/** The handles of this process that every machine gets alike. */
export function hostPorts() {
  return {
    wasm: hostWasm,
    clock: monotonicClock(),
    entropy: hostEntropy,
    log: stderrLog,
  };
}

/** Name under which a guest sees a disk file: the last part of its path, in the characters that a serial may have. */
export function diskSerial(path: string): string {
  return basename(path)
    .replace(/[^\x21-\x7e]/g, "_")
    .slice(0, 20);
}
