// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PulledImage } from "../../../packages/images/src/index.js";
import type { CheckContext } from "../check.js";
import { type Architecture, packageFiles } from "../packages.js";
import { pullOrSkip } from "../pull.js";
import type { Workshop } from "./guest.js";

const BIOS = "usr/share/seabios/bios-256k.bin";

/** Gets what media are made of from Debian's archive and keeps account of the packages. */
export class GuestWorkshop implements Workshop {
  readonly root: string;
  readonly scratch: string;
  private readonly endings: (() => void | Promise<void>)[] = [];

  /** @param packages gets the version of every package that is used */
  constructor(
    private readonly context: CheckContext,
    private readonly packages: Map<string, string>,
  ) {
    this.root = context.root;
    this.scratch = context.scratch;
  }

  async file(packageName: string, path: string, architecture?: Architecture): Promise<Uint8Array> {
    return (await this.files(packageName, [path], architecture)).get(path) ?? new Uint8Array();
  }

  async files(
    packageName: string,
    paths: readonly string[],
    architecture?: Architecture,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const { version, files } = await packageFiles(packageName, paths, architecture);
    this.madeOf(packageName, version);
    return files;
  }

  madeOf(packageName: string, version: string): void {
    this.packages.set(packageName, version);
  }

  async image(reference: string): Promise<ReadonlyMap<string, string>> {
    const image = await pullOrSkip(this.context, reference);
    const manifest = readFileSync(join(dirname(image.get("kernel") ?? ""), "image.json"), "utf8");
    const { packages } = JSON.parse(manifest) as Pick<PulledImage, "packages">;
    for (const { name, version } of packages) this.madeOf(name, version);
    return image;
  }

  atEnd(action: () => void | Promise<void>): void {
    this.endings.push(action);
  }

  /** Makes sure that there is a BIOS to start by; Skip where there is none. */
  async firmware(): Promise<void> {
    await packageFiles("seabios", [BIOS]);
  }

  async close(): Promise<void> {
    for (const action of this.endings.splice(0)) await action();
  }
}
