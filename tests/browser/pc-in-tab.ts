// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Check, ensure, ensureEqual } from "../boot/check.js";
import { DemoProcess } from "./demo-process.js";
import { Tab } from "./tab.js";

const SECTOR = 512;
const FLOPPY = 1_474_560;
const BANNER = "Type!";

/** Of the loudspeaker: the input of the 8254 by its divisor. */
const DIVISOR = 2712;
const TONE_HZ = 1_193_182 / DIVISOR;

/** A floppy whose boot sector shows a banner, sounds a tone until a key is typed, and shows every key from then on. */
function typingFloppy(): Uint8Array {
  const show = [0xb4, 0x0e, 0xbb, 7, 0, 0xcd, 0x10]; // mov ah, 14; mov bx, 7; int 0x10
  const code = [
    ...[...BANNER].flatMap((character) => [0xb0, character.charCodeAt(0), ...show]), // mov al, character
    ...[0xb0, 0xb6, 0xe6, 0x43], // mov al, 0xb6; out 0x43, al
    ...[0xb8, DIVISOR & 0xff, DIVISOR >> 8, 0xe6, 0x42, 0x88, 0xe0, 0xe6, 0x42], // mov ax, DIVISOR; out 0x42, al; mov al, ah; out 0x42, al
    ...[0xe4, 0x61, 0x0c, 3, 0xe6, 0x61], // in al, 0x61; or al, 3; out 0x61, al
    ...[0x31, 0xc0, 0xcd, 0x16, 0x50], // again: xor ax, ax; int 0x16; push ax
    ...[0xe4, 0x61, 0x24, 0xfc, 0xe6, 0x61, 0x58], // in al, 0x61; and al, 0xfc; out 0x61, al; pop ax
    ...show,
    ...[0xeb, 0xeb], // jmp again
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

/** Keeps what the page gives to the loudspeaker of the browser. */
function recordSound(): void {
  const start = AudioBufferSourceNode.prototype.start;
  const recorded: { samples: number[]; rate: number } = { samples: [], rate: 0 };
  AudioBufferSourceNode.prototype.start = function (this: AudioBufferSourceNode, when?: number) {
    recorded.rate = this.buffer?.sampleRate ?? 0;
    recorded.samples.push(...(this.buffer?.getChannelData(0) ?? []));
    start.call(this, when);
  };
  Object.assign(globalThis, { recorded });
}

/** The tone in Hz of what was recorded, once there is half a second of it; else an empty text. */
function tone(tab: Tab): Promise<string> {
  return tab.page.evaluate(() => {
    const { samples, rate } = (globalThis as unknown as { recorded: { samples: number[]; rate: number } }).recorded;
    if (rate === 0 || samples.length < rate / 2) return "";
    let crossings = 0;
    for (let i = 1; i < samples.length; i++) if (samples[i - 1] < 0 !== samples[i] < 0) crossings++;
    return ((crossings * rate) / samples.length / 2).toFixed(1);
  });
}

/** A floppy of the user's on the PC: its tone is heard; what is typed and pasted shows on its screen; reset; screenshot; no machine left. */
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
      await page.addInitScript(recordSound);
      await tab.reload();
      await page.locator("#files").setInputFiles(image);
      await tab.start("pc");
      const screen = () => tab.screenText();
      await tab.until(screen, new RegExp(BANNER));
      const [hertz] = await tab.until(() => tone(tab), /.+/);
      ensure(Math.abs(Number(hertz) / TONE_HZ - 1) < 0.05, `the loudspeaker plays ${hertz} Hz instead of ${TONE_HZ}`);
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
