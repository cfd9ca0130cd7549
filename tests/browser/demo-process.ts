// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type CheckContext, CheckFailure, Skip } from "../boot/check.js";

const READY = /machines in your browser at (\S+);/;
/** What the server says of a machine that it has no package archive for. */
const NO_ARCHIVE = /cannot be offered: (.*(?:no Debian mirror for|check the network and proxy settings).*)/;
/** With an empty cache, an image is built first. */
const PATIENCE_MS = 900_000;

/** The demo server as `npm run demo` starts it, on a port that the system chooses. */
export class DemoProcess {
  private constructor(
    readonly address: string,
    private readonly child: ReturnType<typeof spawn>,
  ) {}

  /** Starts it; throws Skip where there is no archive to take images from. */
  static start({ root }: CheckContext, args: readonly string[]): Promise<DemoProcess> {
    const child = spawn(process.execPath, [
      ...process.execArgv,
      join(root, "build", "demo.mjs"),
      "--port",
      "0",
      ...args,
    ]);
    let output = "";
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new CheckFailure(`the demo server did not start:\n${output}`));
      }, PATIENCE_MS);
      const look = (bytes: Buffer): void => {
        output += bytes.toString("utf8");
        const address = READY.exec(output)?.[1];
        if (address === undefined) return;
        clearTimeout(timer);
        const missing = NO_ARCHIVE.exec(output)?.[1];
        if (missing === undefined) return resolve(new DemoProcess(address, child));
        child.kill();
        reject(new Skip(missing));
      };
      child.stdout.on("data", look);
      child.stderr.on("data", look);
      child.on("close", (status) => {
        clearTimeout(timer);
        reject(new CheckFailure(`the demo server ended with status ${status}:\n${output}`));
      });
    });
  }

  stop(): void {
    this.child.kill("SIGTERM");
  }
}
