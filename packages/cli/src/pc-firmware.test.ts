// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./command-line.js";
import { MACHINE_OPTIONS, machineRequest } from "./machine-request.js";
import { locatePcFirmware } from "./pc-firmware.js";

const parse = (...args: string[]) =>
  parseCommandLine(["--machine", "pc", "--video-rom", "none", ...args], MACHINE_OPTIONS);

describe("firmware of a pc", () => {
  it("of two files is a flash chip that is kept, behind the disks", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isola-nvram-"));
    const vars = join(folder, "vars.fd");
    writeFileSync(vars, "");
    const line = parse("--firmware", "code.fd", "--nvram", vars, "--disk", "d.raw");
    const { config, files, disks } = machineRequest(line, null, await locatePcFirmware(line));
    expect(config.boot).toMatchObject({ file: "code.fd", nvram: { contents: vars, store: "1" }, videoRom: null });
    expect(files).toEqual(["code.fd", vars]);
    expect(disks[1]).toEqual({ path: vars, mode: "writable", format: "raw" });
    rmSync(folder, { recursive: true });
  });

  it("of one file is a ROM", async () => {
    const line = parse("--firmware", "u-boot.rom");
    const { config, files } = machineRequest(line, null, await locatePcFirmware(line));
    expect([config.boot, files]).toEqual([expect.objectContaining({ nvram: null }), ["u-boot.rom"]]);
  });

  it("makes no file for variables where it does not know what belongs there", async () => {
    await expect(locatePcFirmware(parse("--firmware", "code.fd", "--nvram", "/nowhere/vars.fd"))).rejects.toThrow(
      /there is no \/nowhere\/vars.fd/,
    );
    await expect(locatePcFirmware(parse("--nvram", "vars.fd"))).rejects.toThrow(/a BIOS has no variables/);
  });
});
