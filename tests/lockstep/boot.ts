// SPDX-License-Identifier: Apache-2.0
import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Translation, TRANSLATIONS } from "@isola/isa-x86";
import { BootMachine, type BootOptions } from "./boot-machine.js";
import { type ComparedCpu, differentBytes, differentFields } from "./comparison.js";

const STDOUT = 1;
const MIB = 1 << 20;
/** Slices between two comparisons of all RAM, and the instructions after which progress is printed. */
const MEMORY_INTERVAL = 2000;
const PROGRESS = 500_000_000;
/** Slices between two turns of the host's event loop. */
const TURN_INTERVAL = 100;

const say = (text: string): void => void writeSync(STDOUT, `${text}\n`);

/**
 * Boots two machines side by side, one that only interprets and one that compiles, and compares their vCPUs after every
 * slice of the scheduler and their RAM now and then. Returns the process exit code.
 */
export async function boot(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kernel: { type: "string" },
      initrd: { type: "string", multiple: true, default: [] },
      disk: { type: "string", multiple: true, default: [] },
      append: { type: "string", default: "console=ttyS0" },
      memory: { type: "string", default: "256" },
      cpus: { type: "string", default: "1" },
      translation: { type: "string", default: "early" },
      until: { type: "string" },
      instructions: { type: "string", default: "2000000000" },
      quiet: { type: "boolean", default: false },
    },
  });
  const translation = TRANSLATIONS.find((one) => one === values.translation);
  if (values.kernel === undefined || translation === undefined) {
    say(`--kernel FILE is missing, or --translation is not one of ${TRANSLATIONS.join(", ")}`);
    return 2;
  }
  const options: BootOptions = {
    kernel: values.kernel,
    initrd: values.initrd,
    disks: values.disk,
    append: values.append,
    memory: Number(values.memory) * MIB,
    cpus: Number(values.cpus),
  };
  const limit = { instructions: Number(values.instructions), text: values.until ?? null };
  return new BootComparison(options, translation, values.quiet).run(limit);
}

interface Limit {
  readonly instructions: number;
  /** The machines have booted when this has been printed. */
  readonly text: string | null;
}

class BootComparison {
  private readonly reference: BootMachine;
  private readonly other: BootMachine;
  private readonly cpus: readonly { readonly left: ComparedCpu; readonly right: ComparedCpu }[];
  private slice = 0;
  /** Slice after which RAM was last found equal. */
  private equalSlice = 0;
  private printed = "";

  constructor(
    options: BootOptions,
    translation: Translation,
    private readonly quiet: boolean,
  ) {
    this.reference = new BootMachine(options, "off");
    this.other = new BootMachine(options, translation);
    const compared = ({ machine: { engine } }: BootMachine, i: number): ComparedCpu => ({
      engine,
      record: engine.cpuRecord(i),
    });
    this.cpus = Array.from({ length: options.cpus }, (_, i) => ({
      left: compared(this.reference, i),
      right: compared(this.other, i),
    }));
  }

  async run(limit: Limit): Promise<number> {
    let progress = PROGRESS;
    for (;;) {
      this.slice++;
      // Lets what is compiled in the background come in.
      if (this.slice % TURN_INTERVAL === 0) await setImmediate();
      // A share of one instruction is one slice.
      const left = this.reference.machine.run(1);
      const right = this.other.machine.run(1);
      const found = this.differences(left.kind, right.kind);
      if (found.length > 0) return this.report(found);
      const { retired } = this.reference.machine;
      if (retired >= progress) {
        progress += PROGRESS;
        this.printProgress(retired);
      }
      if (left.kind !== "yield") return this.end(`both machines end with "${left.kind}"`);
      if (limit.text !== null && this.printed.includes(limit.text)) return this.end(`"${limit.text}" was printed`);
      if (retired >= limit.instructions) return this.end("the limit has been reached");
    }
  }

  private differences(left: string, right: string): string[] {
    const found = this.cpus.flatMap((cpu, i) =>
      differentFields(cpu.left, cpu.right).map((text) => `vCPU ${i} ${text}`),
    );
    if (left !== right) found.push(`outcome: ${left} against ${right}`);
    const retired = [this.reference.machine.retired, this.other.machine.retired] as const;
    if (retired[0] !== retired[1]) found.push(`retired: ${retired.join(" against ")}`);
    const texts = [this.reference.takeOutput(), this.other.takeOutput()] as const;
    if (texts[0] !== texts[1]) found.push(`output: ${texts.map((text) => JSON.stringify(text)).join(" against ")}`);
    if (!this.quiet) writeSync(STDOUT, texts[0]);
    this.printed = (this.printed + texts[0]).slice(-4096);
    if (found.length > 0 || this.slice % MEMORY_INTERVAL !== 0) return found;
    const bytes = differentBytes(this.reference.memory, this.other.memory);
    if (bytes.length === 0) this.equalSlice = this.slice;
    return bytes;
  }

  private end(why: string): number {
    const bytes = differentBytes(this.reference.memory, this.other.memory);
    if (bytes.length > 0) return this.report(bytes);
    this.printProgress(this.reference.machine.retired);
    say(`${why}; no difference`);
    return 0;
  }

  private printProgress(retired: number): void {
    const { statistics } = this.other.machine.engine.translator;
    say(`[${retired} instructions, ${this.slice} slices] ${JSON.stringify(statistics)}`);
  }

  private report(found: readonly string[]): number {
    say(
      `\nslice ${this.slice} (RAM was equal after ${this.equalSlice}), ${this.reference.machine.retired} instructions:`,
    );
    say(`  ${found.slice(0, 20).join("\n  ")}`);
    for (const bytes of differentBytes(this.reference.memory, this.other.memory)) say(`  ${bytes}`);
    this.cpus.forEach((_, i) => {
      say(this.reference.machine.describeVcpu(i));
      say(this.other.machine.describeVcpu(i));
    });
    return 1;
  }
}
