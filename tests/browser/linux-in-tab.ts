// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Check, ensure, ensureEqual } from "../boot/check.js";
import { DemoProcess } from "./demo-process.js";
import { Tab } from "./tab.js";

const SAYING = "written before the reload";
const SERVED = "served by this computer";

/** Serves one text on this host's loopback interface. */
function textServer(text: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((_request, response) => void response.end(`${text}\n`));
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          server.close();
          server.closeAllConnections();
        },
      }),
    );
  });
}

async function ensureNetwork(tab: Tab, port: number): Promise<void> {
  await tab.run("ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0");
  const address = `http://10.0.2.2:${port}/`;
  ensureEqual(await tab.run(`wget -q -O - ${address}`), SERVED, "what a server of this computer says");
}

async function ensurePause(tab: Tab): Promise<void> {
  const { page } = tab;
  await page.locator("#pause").click();
  await tab.until(() => page.locator("#state").innerText(), /paused/);
  await page.locator("#pause").click();
  await tab.until(() => page.locator("#state").innerText(), /running/);
  await tab.run("true");
}

/** The small Linux to its shell; its disk over a reload of the page; the network by way of the relay. */
export const linuxInTab: Check = {
  name: "browser-linux",
  async run(context) {
    const demo = await DemoProcess.start(context, ["--machine", "busybox", "--host-loopback"]);
    const server = await textServer(SERVED);
    const tab = await Tab.open(context, demo.address).catch((error: unknown) => {
      demo.stop();
      server.close();
      throw error;
    });
    try {
      await tab.start("busybox");
      await tab.prompt();
      ensureEqual(await tab.run("echo $((6 * 7))"), "42", "the answer");
      ensureEqual(await tab.run("uname -m"), "x86_64", "the processor");
      await tab.run(`echo "${SAYING}" | dd of=/dev/vda bs=512 seek=1000 conv=fsync 2> /dev/null`);
      await ensureNetwork(tab, server.port);
      await ensurePause(tab);
      const isolated = await tab.page.evaluate(() => globalThis.crossOriginIsolated);
      ensure(isolated, "the page is not isolated from other origins");
      await tab.reload();
      await tab.start("busybox");
      await tab.prompt();
      const kept = await tab.run("dd if=/dev/vda bs=512 skip=1000 count=1 2> /dev/null | tr -d '\\0'");
      ensureEqual(kept, SAYING, "what the disk holds after the reload");
      await tab.page.locator("#stop").click();
      await tab.until(() => tab.page.locator("#state").innerText(), /stopped/);
      ensureEqual(tab.problems, [], "the errors that the page has logged");
    } finally {
      await tab.close();
      server.close();
      demo.stop();
    }
  },
};
