// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { encodePng } from "@isola/host-node";
import type { Vm } from "@isola/vmm";

/** Writes what a machine shows as a PNG. A file that cannot be written, or an empty screen, is only complained about. */
export function saveScreenshot(vm: Vm, path: string): void {
  const picture = vm.screen();
  if (picture === null) {
    process.stderr.write("isola: no screenshot: the display is switched off\n");
    return;
  }
  try {
    writeFileSync(path, encodePng(picture));
  } catch (error) {
    process.stderr.write(`isola: no screenshot: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
