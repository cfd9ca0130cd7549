// SPDX-License-Identifier: Apache-2.0
import type { UsbConfig } from "@isola/machine";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { oneOf } from "./one-of.js";
import { isPc } from "./pc-request.js";
import { UsageError } from "./usage-error.js";

const KEYBOARDS = ["ps2", "usb"] as const;
const POINTERS = ["ps2", "tablet"] as const;

/** Options for what is typed and pointed with. */
export const INPUT_OPTIONS: OptionSpecs = {
  keyboard: { value: "KIND", help: "usb: a USB keyboard, used as soon as the guest does; ps2 (default, a pc only)" },
  pointer: { value: "KIND", help: "tablet: a USB pointer that goes where the viewer's is; ps2 (default, a pc only)" },
};

/** Devices that the options ask for. The PS/2 ones of a `pc` are there in any case. Throws UsageError. */
export function inputRequest(line: CommandLine): readonly UsbConfig[] {
  const devices: UsbConfig[] = [];
  const keyboard = line.get("keyboard");
  const pointer = line.get("pointer");
  if (keyboard !== undefined && oneOf(keyboard, "keyboard", KEYBOARDS) === "usb") devices.push({ kind: "keyboard" });
  if (pointer !== undefined && oneOf(pointer, "pointer", POINTERS) === "tablet") devices.push({ kind: "tablet" });
  for (const [option, value] of [
    ["keyboard", keyboard],
    ["pointer", pointer],
  ])
    if (value === "ps2" && !isPc(line)) throw new UsageError(`--${option} ps2 needs --machine pc`);
  return devices;
}
