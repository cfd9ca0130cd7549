// SPDX-License-Identifier: Apache-2.0
import type { GpuConfig } from "@isola/machine";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { UsageError } from "./usage-error.js";

export const GPU_OPTIONS: OptionSpecs = {
  gpu: { value: "WIDTHxHEIGHT", help: "a virtio display with a monitor of this size, for example 1280x800" },
};

/** The display that `--gpu` asks for, or null. Throws UsageError. */
export function gpuRequest(line: CommandLine): GpuConfig | null {
  const text = line.get("gpu");
  if (text === undefined) return null;
  const found = /^(\d{1,5})x(\d{1,5})$/.exec(text);
  if (found === null) throw new UsageError(`--gpu: "${text}" is not a size in pixels, such as 1280x800`);
  return { width: Number(found[1]), height: Number(found[2]) };
}

/** Whether the machine has a screen for viewers and pictures. */
export function hasScreen(line: CommandLine): boolean {
  return line.get("gpu") !== undefined || line.get("machine") === "pc";
}
