// SPDX-License-Identifier: Apache-2.0
import { listRecipes } from "@isola/images";
import { pullWithProgress } from "../pull.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

export const pull: Verb = {
  name: "pull",
  synopsis: "IMAGE [--refresh] | --list",
  summary: "get an image ready to run: download packages, build its disk",
  options: {
    refresh: { help: "ask the package archive for newer packages" },
    list: { help: "show the images that there are" },
  },
  async run(line) {
    if (line.has("list")) {
      for (const reference of await listRecipes()) process.stdout.write(`${reference}\n`);
      return 0;
    }
    const [reference, ...more] = line.positionals;
    if (reference === undefined || more.length > 0) throw new UsageError("pull takes one image, such as debian:12");
    const image = await pullWithProgress(reference, line.has("refresh"));
    const rows = Object.entries({
      image: image.reference,
      architecture: image.architecture,
      kernel: image.kernel,
      initrd: image.initrd,
      disk: image.disk,
      append: image.append,
    });
    for (const [name, value] of rows) if (value !== undefined) process.stdout.write(`${name.padEnd(13)} ${value}\n`);
    return 0;
  },
};
