// SPDX-License-Identifier: Apache-2.0
import { type Check, type CheckContext, ensureEqual } from "../boot/check.js";
import { DemoProcess } from "./demo-process.js";
import { Tab } from "./tab.js";

const SAYING = "kept by the browser";

async function inFreshBrowser(context: CheckContext, demo: DemoProcess, use: (tab: Tab) => Promise<void>) {
  const tab = await Tab.open(context, demo.address);
  try {
    const start = performance.now();
    await tab.start("debian");
    await tab.prompt();
    context.note(`a root shell after ${((performance.now() - start) / 1000).toFixed(1)} s`);
    await use(tab);
    ensureEqual(tab.problems, [], "the errors that the page has logged");
  } finally {
    await tab.close();
  }
}

/** Debian from an image on a web server to its root shell; what it writes is there after the browser was closed. */
export const debianInTab: Check = {
  name: "browser-debian",
  async run(context) {
    const demo = await DemoProcess.start(context, ["--machine", "debian", "--no-network"]);
    try {
      await inFreshBrowser(context, demo, async (tab) => {
        ensureEqual(await tab.run("cat /etc/debian_version | cut -d. -f1"), "12", "Debian's version");
        await tab.run(`echo "${SAYING}" > /root/saying && sync`);
      });
      await inFreshBrowser(context, demo, async (tab) => {
        ensureEqual(await tab.run("cat /root/saying"), SAYING, "what the disk holds in the next browser");
      });
    } finally {
      demo.stop();
    }
  },
};
