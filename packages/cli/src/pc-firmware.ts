// SPDX-License-Identifier: Apache-2.0
import { pullFirmware } from "@isola/images";
import type { CommandLine } from "./command-line.js";
import type { PcFirmware } from "./pc-request.js";

const NO_ROM = "none";

/** Where the firmware of a `pc` is: files that were named, or else SeaBIOS, which is fetched if it is not in the cache. */
export async function locatePcFirmware(line: CommandLine): Promise<PcFirmware> {
  const bios = line.get("firmware");
  const rom = line.get("video-rom");
  const videoRom = rom === NO_ROM ? null : rom;
  if (bios !== undefined && videoRom !== undefined) return { bios, videoRom };
  const pulled = await pullFirmware();
  return { bios: bios ?? pulled.bios, videoRom: videoRom === undefined ? pulled.videoRom : videoRom };
}
