// SPDX-License-Identifier: Apache-2.0
import { BOOT_DEVICES, type BootDevice, type DriveConfig, SOUND_CARDS } from "@isola/machine";
import type { BoardRequest } from "./board-request.js";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { parseDiskOption } from "./disk-option.js";
import { DiskPlacement } from "./disk-placement.js";
import { hasScreen } from "./gpu-option.js";
import { oneOf } from "./one-of.js";
import { UsageError } from "./usage-error.js";

/** Options that only a `pc` has. */
export const PC_OPTIONS: OptionSpecs = {
  cdrom: { value: "FILE", many: true, help: "CD or DVD image in an IDE drive" },
  floppy: { value: "FILE[,FLAG]", many: true, help: "floppy image in drive A, then B; FLAG as for --disk" },
  boot: { value: "KIND,...", help: `what firmware tries in which order: ${BOOT_DEVICES.join(", ")}` },
  firmware: {
    value: "KIND",
    help: "bios (Debian's SeaBIOS, default), uefi (Debian's OVMF), or the FILE of a firmware image",
  },
  nvram: { value: "FILE", help: "keep the variables of UEFI here; made if it does not exist" },
  "video-rom": { value: "FILE", help: "expansion ROM of the display instead of SeaBIOS's; none for no ROM" },
  display: { value: "KIND", help: "text: the screen on this terminal, instead of the serial port; none (default)" },
  sound: { value: "CARD", help: `sound card: ${SOUND_CARDS.join(", ")}, or none (default)` },
  audio: { value: "FILE", help: "write what the sound card and the loudspeaker play to this WAV file" },
  parallel: { value: "FILE", help: "write what the parallel port prints to this file; - for standard error" },
  "firmware-log": { value: "FILE", help: "write the log of the firmware here; - for standard error" },
};

const DEFAULT_ORDER: readonly BootDevice[] = ["disk", "cdrom", "floppy"];
/** Units of the IDE channels in which CDs are put first: the secondary master, where operating systems expect them. */
const CDROM_UNITS = [2, 3, 1, 0];
const DISK_UNITS = [0, 1, 2, 3];

/** Files that a `pc` starts with. */
export interface PcFirmware {
  readonly file: string;
  /** File with what the flash for variables holds at first, and whether changes are written to it. */
  readonly nvram: { readonly contents: string; readonly kept: boolean } | null;
  readonly videoRom: string | null;
}

export function isPc(line: CommandLine): boolean {
  return oneOf(line.get("machine") ?? "microvm", "machine", ["microvm", "pc"] as const) === "pc";
}

/** Options for what any screen shows. */
export const SCREEN_OPTIONS: OptionSpecs = {
  screenshot: { value: "FILE", help: "write the screen as a PNG at the end, and on SIGUSR1" },
};

/** How the operator sees a machine. */
export interface PcView {
  /** The screen is on the terminal, instead of the first serial port. */
  readonly textDisplay: boolean;
  /** File for pictures of the screen. */
  readonly screenshot: string | null;
  /** File for the log of the BIOS, or - for standard error. */
  readonly firmwareLog: string | null;
  /** File for what the parallel port prints, or - for standard error. */
  readonly parallel: string | null;
  /** WAV file for what the machine plays. */
  readonly audio: string | null;
}

/** Throws UsageError for a display that there is not. */
export function pcView(line: CommandLine): PcView {
  if (line.has("screenshot") && !hasScreen(line))
    throw new UsageError("--screenshot needs a screen: --machine pc, or --gpu");
  return {
    textDisplay: oneOf(line.get("display") ?? "none", "display", ["none", "text"] as const) === "text",
    screenshot: line.get("screenshot") ?? null,
    firmwareLog: line.get("firmware-log") ?? null,
    parallel: line.get("parallel") ?? null,
    audio: line.get("audio") ?? null,
  };
}

/** Options that a microvm would silently ignore. */
export function refusePcOptions(line: CommandLine): void {
  for (const option of Object.keys(PC_OPTIONS))
    if (line.all(option).length > 0) throw new UsageError(`--${option} needs --machine pc`);
}

function bootOrder(line: CommandLine): readonly BootDevice[] {
  const text = line.get("boot");
  return text === undefined ? DEFAULT_ORDER : text.split(",").map((name) => oneOf(name, "boot", BOOT_DEVICES));
}

/** Turns the options of a `pc` into its drives. Throws UsageError if they make no sense. */
export function pcRequest(line: CommandLine, firmware: PcFirmware): BoardRequest {
  for (const option of ["kernel", "initrd", "append", "load-address", "mode"])
    if (line.all(option).length > 0)
      throw new UsageError(`--${option} boots without firmware: leave out --machine pc, or give a --disk or --cdrom`);
  const ide: (DriveConfig | null)[] = [null, null, null, null];
  const place = (drive: DriveConfig, units: readonly number[]): void => {
    const unit = units.find((candidate) => ide[candidate] === null);
    if (unit === undefined) throw new UsageError("a pc has four IDE drives: more --disk and --cdrom do not fit");
    ide[unit] = drive;
  };
  const disks = new DiskPlacement("ide", (drive) => place(drive, drive.kind === "cdrom" ? CDROM_UNITS : DISK_UNITS));
  for (const path of line.all("cdrom")) disks.add({ path, mode: "readonly", format: "raw", bus: "ide", cdrom: true });
  for (const text of line.all("disk")) disks.add(parseDiskOption(text));
  const floppies = line.all("floppy").map((text) => disks.store(parseDiskOption(text)));
  if (floppies.length > 2) throw new UsageError("a pc has two floppy drives");
  const sound = oneOf(line.get("sound") ?? "none", "sound", ["none", ...SOUND_CARDS] as const);
  const { file, videoRom } = firmware;
  const nvram = firmware.nvram && {
    contents: firmware.nvram.contents,
    store: firmware.nvram.kept ? disks.store({ path: firmware.nvram.contents, mode: "writable", format: "raw" }) : null,
  };
  return {
    config: {
      preset: "pc",
      boot: { kind: "firmware", file, nvram, videoRom, order: bootOrder(line) },
      ...disks.config,
      ide,
      floppies,
      sound: sound === "none" ? null : sound,
    },
    files: [file, nvram?.contents, videoRom].filter((path) => path !== undefined && path !== null),
    disks: disks.options,
  };
}
