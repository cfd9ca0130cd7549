// SPDX-License-Identifier: Apache-2.0
// Behaves on standard input and output as a guest with a shell does on its console.
//   fake-machine [--dead] [--dies-in NAME] [--fails-in NAME] [--lacks NAME] [--wrong NAME] [--no-program] [--login]
//     [--tells]
import { createInterface } from "node:readline";

const args = process.argv.slice(2);
const after = (option) => (args.includes(option) ? args[args.indexOf(option) + 1] : "");
const PROMPT = "/root # \x1b[6n";

if (args.includes("--dead")) {
  process.stderr.write("no such kernel\n");
  process.exit(3);
}
if (args.includes("--tells")) {
  process.on("SIGTERM", () => {
    process.stderr.write('isola: bye\n{"compiler":{"generationTime":3000000,"moduleTime":1000000}}\n');
    process.exit(0);
  });
}
const shown = `Isola: busybox shell\r\n\r\n${PROMPT}`;
if (args.includes("--login")) process.stdout.write("\r\nisola login: root (automatic login)\r\n");
process.stdout.write(shown);
for await (const line of createInterface({ input: process.stdin })) {
  const [program, scale, name] = line.split(" ");
  process.stdout.write(`${line}\r\n`);
  if (program === "set-up") {
    process.stdout.write(PROMPT);
    continue;
  }
  if (program !== "bench") break;
  if (args.includes("--no-program")) process.exit(127);
  if (scale === "list") {
    process.stdout.write("@list sort x87\r\n");
  } else if (after("--lacks") === name) {
    process.stdout.write(`@absent ${name}\r\n`);
  } else if (after("--fails-in") === name) {
    process.stdout.write(`@begin ${name}\r\n@failed ${name} work: no space left\r\n`);
  } else {
    process.stdout.write(`@begin ${name}\r\n`);
    if (after("--dies-in") === name) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const checksum = after("--wrong") === name ? "bad" : Number(scale).toString(16);
    process.stdout.write(name === "x87" ? `@end x87\r\n@sum x87 ${checksum}\r\n` : `@end ${name} ${checksum}\r\n`);
  }
  process.stdout.write(PROMPT);
}
