// SPDX-License-Identifier: Apache-2.0
import { constants, copyFileSync, existsSync } from "node:fs";
import { OperatorError } from "@isola/base";
import { orFileError } from "@isola/host-node";
import { pullFirmware, pullUefi } from "@isola/images";
import type { CommandLine } from "./command-line.js";
import type { PcFirmware } from "./pc-request.js";

const NO_ROM = "none";
const BIOS = "bios";
const UEFI = "uefi";

/** Where the firmware of a `pc` is: Debian's, which is fetched if it is not in the cache, or files that were named. */
export async function locatePcFirmware(line: CommandLine): Promise<PcFirmware> {
  const firmware = line.get("firmware") ?? BIOS;
  const rom = line.get("video-rom");
  const nvram = line.get("nvram");
  if (firmware === UEFI) {
    const { code, variables } = await pullUefi();
    if (nvram !== undefined) prepareNvram(nvram, variables);
    // UEFI has a driver of its own for the display, and no use for a video BIOS.
    const videoRom = rom === undefined || rom === NO_ROM ? null : rom;
    return { file: code, nvram: { contents: nvram ?? variables, kept: nvram !== undefined }, videoRom };
  }
  if (nvram !== undefined) {
    if (firmware === BIOS)
      throw new OperatorError(
        "no-nvram",
        "--nvram: a BIOS has no variables to keep: say --firmware uefi, or give a FILE",
      );
    prepareNvram(nvram, null);
  }
  const videoRom = rom === NO_ROM ? null : (rom ?? (await pullFirmware()).videoRom);
  const file = firmware === BIOS ? (await pullFirmware()).bios : firmware;
  return { file, nvram: nvram === undefined ? null : { contents: nvram, kept: true }, videoRom };
}

/** Makes the file of a new machine's variables from what they are at first. */
function prepareNvram(path: string, template: string | null): void {
  if (existsSync(path)) return;
  if (template === null)
    throw new OperatorError(
      "no-such-file",
      `--nvram: there is no ${path}, and only with --firmware uefi is it known what to put there: copy the file that came with the firmware`,
    );
  orFileError("write", path, () => copyFileSync(template, path, constants.COPYFILE_EXCL));
}
