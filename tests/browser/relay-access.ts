// SPDX-License-Identifier: Apache-2.0
import { request } from "node:http";
import { type Check, ensureEqual } from "../boot/check.js";
import { DemoProcess } from "./demo-process.js";

/** Status of the answer to a request, 101 for a WebSocket that was made. */
function statusOf(address: string, headers: { readonly [name: string]: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(address, { headers });
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on("error", reject);
    asked.end();
  });
}

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};

/** Only the server's own page gets at the relay; the server answers under its own name only, and to this host only. */
export const relayOnlyForPage: Check = {
  name: "browser-relay-access",
  async run(context) {
    const demo = await DemoProcess.start(context, ["--machine", "pc"]);
    try {
      const { address } = demo;
      const origin = address.replace(/\/$/, "");
      const page = await (await fetch(address)).text();
      const token = /name="isola-token" content="([^"]+)"/.exec(page)?.[1] ?? "";
      const relay = (given: string) => `${address}relay?token=${given}`;
      ensureEqual(await statusOf(relay(token), { ...UPGRADE, origin }), 101, "the answer to our own page");
      ensureEqual(await statusOf(relay(token), UPGRADE), 403, "the answer to a program that is no page");
      const foreign = { ...UPGRADE, origin: "http://attacker.example" };
      ensureEqual(await statusOf(relay(token), foreign), 403, "the answer to a foreign page");
      ensureEqual(await statusOf(relay("x"), { ...UPGRADE, origin }), 403, "the answer to a wrong token");
      ensureEqual(await statusOf(`${address}//`, { ...UPGRADE, origin }), 403, "the answer to a path that is none");
      const rebound = { host: "attacker.example" };
      ensureEqual(await statusOf(address, rebound), 421, "the answer to a page of another name");
      ensureEqual(await statusOf(`${address}../../etc/passwd`, {}), 404, "the answer to a path that leads out");
    } finally {
      demo.stop();
    }
  },
};
