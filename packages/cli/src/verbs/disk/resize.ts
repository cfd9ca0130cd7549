// SPDX-License-Identifier: Apache-2.0
import { nodeImageHost, openImageFile } from "@isola/host-node";
import { resizeImage } from "@isola/storage";
import { parseDiskFormat } from "../../disk-option.js";
import { parseSize } from "../../size.js";
import { type DiskAction, FORMAT_OPTION } from "./action.js";

export const resize: DiskAction = {
  name: "resize",
  synopsis: "FILE SIZE",
  least: 2,
  most: 2,
  options: {
    ...FORMAT_OPTION,
    shrink: { help: "the disk may become smaller; its end is lost" },
  },
  async run([path, sizeText], line) {
    const size = parseSize(sizeText, "SIZE");
    const said = line.get("format");
    const format = said === undefined ? {} : { format: parseDiskFormat(said, "--format") };
    const file = await openImageFile(path, false);
    await resizeImage(file, size, { ...format, shrink: line.has("shrink"), host: nodeImageHost });
    return 0;
  },
};
