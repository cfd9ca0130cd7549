// SPDX-License-Identifier: Apache-2.0
// Drives one machine through its serial console, as a person would: wait for text, type, wait for the end.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../tools/build.mjs";

const KEPT = 4000;

/** A machine that runs in a process of its own. `args` follow `isola run`. */
export class Console {
  #child;
  #text = "";
  #seen = 0;
  #ended = null;
  #changed = () => {};
  #errors = "";

  constructor(args) {
    this.#child = spawn(process.execPath, [join(root, "build/isola.mjs"), "run", ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stdout.on("data", (chunk) => {
      this.#text += chunk.toString("latin1");
      this.#changed();
    });
    this.#child.stderr.on("data", (chunk) => (this.#errors += chunk.toString("latin1")));
    this.#child.stdin.on("error", () => {});
    this.#child.on("exit", (status, signal) => {
      this.#ended = signal ?? status;
      this.#changed();
    });
  }

  /** Everything the machine has printed. */
  get text() {
    return this.#text;
  }

  /** Waits until `pattern` (text) appears behind what earlier calls have matched. */
  async expect(pattern, seconds) {
    const found = () => this.#text.indexOf(pattern, this.#seen);
    await this.#until(() => found() >= 0, seconds, `"${pattern}"`);
    this.#seen = found() + pattern.length;
  }

  type(text) {
    this.#child.stdin.write(text);
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** Waits for the end of the process and returns its exit status, or the name of the signal that ended it. */
  async end(seconds) {
    await this.#until(() => this.#ended !== null, seconds, "the end");
    return this.#ended;
  }

  /** Ends the process whatever it does. */
  kill() {
    this.#child.kill("SIGKILL");
  }

  async #until(condition, seconds, what) {
    const timer = setTimeout(() => this.#changed(), seconds * 1000);
    const deadline = performance.now() + seconds * 1000;
    try {
      while (!condition()) {
        const gone = this.#ended !== null && what !== "the end";
        if (gone || performance.now() >= deadline) {
          const why = gone ? `the machine ended (${this.#ended})` : `${seconds} s passed`;
          throw new Error(`waiting for ${what}: ${why}\n${this.#text.slice(-KEPT)}\n${this.#errors.slice(-KEPT)}`);
        }
        await new Promise((resolve) => (this.#changed = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
