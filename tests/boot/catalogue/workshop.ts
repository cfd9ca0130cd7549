// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defaultRecipesDir, loadRecipe, type PulledImage, pullRecipe } from "../../../packages/images/src/index.js";
import { type CheckContext, ensureEqual } from "../check.js";
import { isola } from "../isola-process.js";
import { type Architecture, orSkip, packageFiles, RECIPES } from "../packages.js";
import { pullOrSkip } from "../pull.js";
import type { Workshop } from "./guest.js";

const BIOS = "usr/share/seabios/bios-256k.bin";
const UEFI = "usr/share/OVMF/OVMF_CODE_4M.fd";

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

  async busybox(kernelPackage: string, architecture: Architecture): Promise<PulledImage> {
    const image = await orSkip(kernelPackage, async () => {
      const recipe = await loadRecipe(RECIPES[architecture], defaultRecipesDir());
      return pullRecipe({ ...recipe, kernelPackage }, {});
    });
    for (const { name, version } of image.packages) this.madeOf(name, version);
    return image;
  }

  async image(reference: string): Promise<ReadonlyMap<string, string>> {
    const image = await pullOrSkip(this.context, reference);
    const manifest = readFileSync(join(dirname(image.get("kernel") ?? ""), "image.json"), "utf8");
    const { packages } = JSON.parse(manifest) as Pick<PulledImage, "packages">;
    for (const { name, version } of packages) this.madeOf(name, version);
    return image;
  }

  async isola(args: readonly string[]): Promise<void> {
    const { status, errors } = await isola(this.context, { name: `isola-${args.slice(0, 2).join("-")}`, args });
    ensureEqual(status, 0, `the exit status of isola ${args.join(" ")} (${errors.trim()})`);
  }

  atEnd(action: () => void | Promise<void>): void {
    this.endings.push(action);
  }

  /** Makes sure that there is a firmware to start by; Skip where there is none. */
  async firmware(uefi: boolean): Promise<void> {
    if (uefi) await this.file("ovmf", UEFI);
    else await packageFiles("seabios", [BIOS]);
  }

  async close(): Promise<void> {
    for (const action of this.endings.splice(0)) await action();
  }
}
