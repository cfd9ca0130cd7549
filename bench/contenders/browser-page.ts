// SPDX-License-Identifier: Apache-2.0
// The page of a machine that is measured in a tab: the library as the demo uses it, without the demo's looks.
import { type DiskSource, MachineClient } from "@isola/host-browser";
import type { MachineConfig } from "@isola/machine";

/** A machine as plain data; names are paths on the server. */
export interface TabMachine {
  readonly config: MachineConfig;
  readonly files: readonly string[];
  readonly disks: readonly { readonly path: string; readonly mode: "temporary" | "readonly" }[];
}

/** What the driver calls, and what it offers. */
export interface PageGlobals {
  startMachine(machine: TabMachine): Promise<void>;
  serialInput(text: string): Promise<void>;
  statistics(): Promise<unknown>;
  /** Bytes as Latin-1. */
  serialOutput(text: string): Promise<void>;
}

const globals = globalThis as unknown as PageGlobals;
const at = (path: string): string => new URL(path, location.href).href;
const note = (text: string): void => void globals.serialOutput(text);

/** Most arguments of a call that all browsers take. */
const PIECE = 8192;

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return text;
}

const client = new MachineClient(new Worker("/machine-worker.js"), {
  event: () => {},
  serial(_port, bytes, shown) {
    note(latin1(bytes));
    shown();
  },
  sound: () => {},
  progress: () => {},
  warning: note,
  broken: (error) => note(error.message),
});

globals.startMachine = async ({ config, files, disks }) => {
  const sources = disks.map(({ path, mode }): DiskSource => ({ kind: mode, base: { kind: "url", url: at(path) } }));
  await client.call("create", {
    config,
    modules: { helpers: at("engine/helpers.wasm"), interpreter: at("engine/interpreter.wasm") },
    files: Object.fromEntries(files.map((name) => [name, { kind: "url", url: at(name) }])),
    disks: Object.fromEntries(disks.map(({ path }, index) => [path, sources[index] as DiskSource])),
    network: null,
    translations: null,
    onGuestReset: "restart",
  });
  await client.perform({ type: "start" });
};
globals.serialInput = (text) =>
  client.perform({
    type: "serial-input",
    port: 0,
    bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)),
  });
globals.statistics = () => client.call("statistics", null);
