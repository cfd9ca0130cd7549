// SPDX-License-Identifier: Apache-2.0
import type { DriveConfig, MachineConfig } from "@isola/machine";
import type { DiskBus, DiskOption } from "./disk-option.js";
import { diskSerial } from "./machine-files.js";

type Controllers = Pick<MachineConfig, "disks" | "nvme" | "sata" | "usb">;

/** Spreads disks over the controllers of a machine, and names their stores in the order in which they come. */
export class DiskPlacement {
  /** In the order in which stores are named. */
  readonly options: DiskOption[] = [];
  private readonly placed: { readonly [K in keyof Controllers]: Controllers[K][number][] } = {
    disks: [],
    nvme: [],
    sata: [],
    usb: [],
  };

  /** @param place what becomes of drives for IDE */
  constructor(
    private readonly usual: DiskBus,
    private readonly place: (drive: DriveConfig) => void,
  ) {}

  get config(): Controllers {
    return this.placed;
  }

  /** Takes a disk without attaching it, and returns the name of its store. */
  store(option: DiskOption): string {
    return String(this.options.push(option) - 1);
  }

  add(option: DiskOption): void {
    const disk = { store: this.store(option), serial: diskSerial(option.path) };
    const drive: DriveConfig = option.cdrom ? { kind: "cdrom", store: disk.store } : { kind: "disk", ...disk };
    const bus = option.bus ?? this.usual;
    if (bus === "ide") this.place(drive);
    else if (bus === "ahci") this.placed.sata.push(drive);
    else if (bus === "usb") this.placed.usb.push({ kind: "disk", ...disk });
    else this.placed[bus === "nvme" ? "nvme" : "disks"].push(disk);
  }
}
