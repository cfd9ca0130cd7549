// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Check, ensure, ensureEqual } from "../boot/check.js";
import { DemoProcess } from "./demo-process.js";
import { Tab } from "./tab.js";

const SECTOR = 512;
const FLOPPY = 1_474_560;
const BANNER = "Type!";

/** A floppy whose boot sector shows a banner, and then every key that is typed. */
function typingFloppy(): Uint8Array {
  const show = [0xb4, 0x0e, 0xbb, 7, 0, 0xcd, 0x10]; // mov ah, 14; mov bx, 7; int 0x10
  const code = [
    ...[...BANNER].flatMap((character) => [0xb0, character.charCodeAt(0), ...show]), // mov al, character
    ...[0x31, 0xc0, 0xcd, 0x16], // again: xor ax, ax; int 0x16
    ...show,
    ...[0xeb, 0xf3], // jmp again
  ];
  const floppy = new Uint8Array(FLOPPY);
  floppy.set(code);
  floppy.set([0x55, 0xaa], SECTOR - 2);
  return floppy;
}

/** Distinct colours on the canvas. */
function colours(tab: Tab): Promise<number> {
  return tab.page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#screen");
    const data = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data;
    return new Set(new Uint32Array(data?.buffer ?? new ArrayBuffer(0))).size;
  });
}

/** A floppy of the user's on the PC: what is typed and pasted shows on its screen; reset; screenshot; no machine left. */
export const pcInTab: Check = {
  name: "browser-pc",
  async run(context) {
    const image = join(context.scratch, "typing.img");
    await writeFile(image, typingFloppy());
    const demo = await DemoProcess.start(context, ["--machine", "pc", "--no-network"]);
    const tab = await Tab.open(context, demo.address).catch((error: unknown) => {
      demo.stop();
      throw error;
    });
    const { page } = tab;
    try {
      await page.locator("#files").setInputFiles(image);
      await tab.start("pc");
      const screen = () => tab.screenText();
      await tab.until(screen, new RegExp(BANNER));
      await page.locator("#screen").focus();
      await page.keyboard.press("Shift+KeyH");
      await page.keyboard.type("ello from the keyboard 42");
      await tab.until(screen, new RegExp(`${BANNER}Hello from the keyboard 42`));
      await page.locator("#paste").click();
      await page.locator("#paste-text").fill('|Pasted: {"x": ~1}');
      await page.locator("#paste-dialog .primary").click();
      await tab.until(screen, /keyboard 42\|Pasted: \{"x": ~1\}/);
      ensure((await colours(tab)) > 1, "the canvas shows one colour only");
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#screenshot").click()]);
      const png = await readFile(await download.path());
      ensureEqual([...png.subarray(1, 4)], [0x50, 0x4e, 0x47], "the first bytes of the screenshot");
      await page.locator("#screen").focus();
      await page.keyboard.press("Control+Alt+KeyG");
      const focused = await page.evaluate(() => document.activeElement?.id);
      ensureEqual(focused, "stop", "what has the focus after Ctrl-Alt-G");
      await page.locator("#ctrl-alt-del").click();
      await tab.until(screen, new RegExp(`${BANNER}(?!Hello)`));
      await page.locator("#stop").click();
      await tab.until(() => page.locator("#state").innerText(), /stopped/);
      await page.locator("#stop").click();
      await page.locator("#choose").waitFor({ state: "visible" });
      ensureEqual(tab.problems, [], "the errors that the page has logged");
    } finally {
      await tab.close();
      demo.stop();
    }
  },
};
