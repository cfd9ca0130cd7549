// SPDX-License-Identifier: Apache-2.0
import type { MachineConfig } from "@isola/machine";
import type { DiskOption } from "./disk-option.js";

/** What the options make of a machine, as far as that differs between the kinds of board. */
export interface BoardRequest {
  readonly config: Pick<
    MachineConfig,
    "preset" | "boot" | "disks" | "nvme" | "sata" | "usb" | "ide" | "floppies" | "sound"
  >;
  readonly files: readonly string[];
  /** In the order in which stores are named. */
  readonly disks: readonly DiskOption[];
}
