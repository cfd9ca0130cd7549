// SPDX-License-Identifier: Apache-2.0
import type { MachineConfig } from "@isola/machine";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { oneOf } from "./one-of.js";
import { isPc } from "./pc-request.js";
import { UsageError } from "./usage-error.js";

const KEYBOARDS = ["ps2", "usb", "virtio"] as const;
const POINTERS = ["ps2", "tablet", "virtio"] as const;

/** Options for what is typed and pointed with. */
export const INPUT_OPTIONS: OptionSpecs = {
  keyboard: {
    value: "KIND",
    help: "usb or virtio: a keyboard that is used as soon as the guest does; ps2: only that of a pc",
  },
  pointer: {
    value: "KIND",
    help: "tablet (USB) or virtio: goes where the viewer's pointer is; ps2: only the mouse of a pc",
  },
};

/** Devices that the options ask for. The PS/2 ones of a `pc` are there in any case. Throws UsageError. */
export function inputRequest(line: CommandLine): Pick<MachineConfig, "usb" | "virtioInputs"> {
  const usb: MachineConfig["usb"][number][] = [];
  const virtioInputs: MachineConfig["virtioInputs"][number][] = [];
  const kindOf = <T extends string>(option: string, kinds: readonly T[]): T | null => {
    const text = line.get(option);
    if (text === undefined) return null;
    if (text === "ps2" && !isPc(line)) throw new UsageError(`--${option} ps2 needs --machine pc`);
    return oneOf(text, option, kinds);
  };
  const keyboard = kindOf("keyboard", KEYBOARDS);
  if (keyboard === "usb") usb.push({ kind: "keyboard" });
  else if (keyboard === "virtio") virtioInputs.push("keyboard");
  const pointer = kindOf("pointer", POINTERS);
  if (pointer === "tablet") usb.push({ kind: "tablet" });
  else if (pointer === "virtio") virtioInputs.push("tablet");
  return { usb, virtioInputs };
}
