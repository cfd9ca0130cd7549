// SPDX-License-Identifier: Apache-2.0
// Behaves on standard input and output as a guest with a shell does on its console.
//   fake-machine [--dead] [--dies-in NAME] [--wrong NAME] [--no-program]
import { createInterface } from "node:readline";

const args = process.argv.slice(2);
const after = (option) => (args.includes(option) ? args[args.indexOf(option) + 1] : "");
const PROMPT = "/root # \x1b[6n";

if (args.includes("--dead")) {
  process.stderr.write("no such kernel\n");
  process.exit(3);
}
process.stdout.write(`Isola: busybox shell\r\n\r\n${PROMPT}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [program, scale, name] = line.split(" ");
  process.stdout.write(`${line}\r\n`);
  if (program !== "bench") break;
  if (args.includes("--no-program")) process.exit(127);
  if (scale === "list") {
    process.stdout.write("@list sort x87\r\n");
  } else {
    process.stdout.write(`@begin ${name}\r\n`);
    if (after("--dies-in") === name) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.stdout.write(`@end ${name} ${after("--wrong") === name ? "bad" : Number(scale).toString(16)}\r\n`);
  }
  process.stdout.write(PROMPT);
}
