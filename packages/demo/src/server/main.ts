// SPDX-License-Identifier: Apache-2.0
// `npm run demo`: serves the page. Bundled to build/demo.mjs, beside what it serves.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "@isola/base";
import type { MissingMachine, OfferedMachine } from "../catalogue.js";
import { DemoServer } from "./demo-server.js";
import { offerMachine, programFiles } from "./offers.js";
import { HELP, readOptions } from "./options.js";

const build = dirname(fileURLToPath(import.meta.url));
const say = (line: string): void => void process.stderr.write(`isola: ${line}\n`);

async function main(args: readonly string[]): Promise<number | null> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { files, page, version } = programFiles(build);
  const machines: (OfferedMachine | MissingMachine)[] = [];
  // Before anything is fetched, so that a port that is taken is the only thing said.
  const server = await DemoServer.start({ options, machines, files, version, page });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(0));
  for (const name of options.machines) {
    const offer = await offerMachine(name, join(build, "isola.mjs"), files);
    if (!offer.available) say(`${offer.title} cannot be offered: ${offer.reason}`);
    machines.push(offer);
  }
  process.stdout.write(`isola: machines in your browser at ${server.address}; Ctrl-C ends\n`);
  return null;
}

try {
  const status = await main(process.argv.slice(2));
  if (status !== null) process.exitCode = status;
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  say(error.message);
  process.exitCode = error.code === "usage" ? 2 : 1;
}
