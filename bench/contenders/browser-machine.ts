// SPDX-License-Identifier: Apache-2.0
// One machine in a tab of Chromium with its serial port on standard input and output: browser-machine.mjs GUEST, which
// is a guest (bench/guest.ts) as JSON. Bundled to build/bench, beside the script of its page.
import { writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DemoServer, programFiles, readOptions } from "@isola/demo";
import { DEFAULT_CONFIG } from "@isola/machine";
import { chromium } from "playwright-core";
import type { Guest } from "../guest.js";
import type { PageGlobals, TabMachine } from "./browser-page.js";
import { CHROMIUM } from "./chromium.js";

const folder = dirname(fileURLToPath(import.meta.url));
const guest = JSON.parse(process.argv[2] ?? "") as Guest;
const { files, version } = programFiles(dirname(folder));
files.set("/bench.js", join(folder, "browser-page.js"));
files.set("/vmlinuz", guest.kernel);
files.set("/initrd", guest.initrd);
for (const [index, disk] of guest.disks.entries()) files.set(`/disk${index}`, disk.path);
const server = await DemoServer.start({
  options: readOptions(["--port", "0", "--no-network"]),
  machines: [],
  files,
  version,
  page: '<!doctype html><title>bench</title><script src="/bench.js"></script>',
});

const machine: TabMachine = {
  config: {
    ...DEFAULT_CONFIG,
    memory: guest.memoryMiB << 20,
    boot: { kind: "kernel", kernel: "vmlinuz", modules: ["initrd"], commandLine: guest.append },
    disks: guest.disks.map((_disk, index) => ({ store: `disk${index}`, serial: `disk${index}` })),
  },
  files: ["vmlinuz", "initrd"],
  // A tab writes no files of this host.
  disks: guest.disks.map(({ mode }, index) => ({
    path: `disk${index}`,
    mode: mode === "readonly" ? mode : "temporary",
  })),
};
// Chromium's sandbox needs privileges that containers do not have; only this page is ever loaded.
const tab = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
const page = await tab.newPage();
page.on("console", (message) => process.stderr.write(`${message.text()}\n`));
page.on("pageerror", (error) => process.stderr.write(`${error.message}\n`));
await page.exposeFunction("serialOutput", (text: string) => void writeSync(1, Buffer.from(text, "latin1")));
await page.goto(server.address);
await page.evaluate((made) => (globalThis as unknown as PageGlobals).startMachine(made), machine);
process.stdin.on("data", (bytes: Buffer) => {
  const text = bytes.toString("latin1");
  void page.evaluate((typed) => (globalThis as unknown as PageGlobals).serialInput(typed), text);
});

async function end(): Promise<void> {
  const statistics = await page.evaluate(() => (globalThis as unknown as PageGlobals).statistics());
  process.stderr.write(`${JSON.stringify(statistics)}\n`);
  await tab.close();
  process.exit(0);
}
process.on("SIGTERM", () => void end());
process.stdin.on("end", () => void end());
