// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bzImage } from "../../packages/firmware/src/boot-file.fixture.js";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { isola, IsolaProcess } from "./isola-process.js";

const REAL_ADDRESS = 0x7c00;
const ADDRESS = 0x10_0000;
const TRIPLE_FAULT_STATUS = 3;
/** What a shell says of a process that SIGTERM ended. */
const TERMINATED_STATUS = 143;

/** Writes a guest's machine code and returns the options that boot it. */
function flatGuest(context: CheckContext, name: string, code: Uint8Array, mode = "real"): string[] {
  const path = join(context.scratch, name);
  writeFileSync(path, code);
  const address = mode === "real" ? REAL_ADDRESS : ADDRESS;
  return ["--kernel", path, "--load-address", `0x${address.toString(16)}`, "--mode", mode, "--memory", "16M"];
}

const TRIPLE_FAULT = Uint8Array.of(
  ...[0x66, 0xb8, 0x78, 0x56, 0x34, 0x12], // mov eax, 0x12345678
  ...[0x2e, 0x0f, 0x01, 0x1e, 0x0d, 0x7c], // lidt cs:[0x7c0d]
  0xcc, // int3: the interrupt table has no entry, not even for the faults that this causes
  ...[0, 0, 0, 0, 0, 0], // limit 0
);

/** Writes "R" to the first serial port, then the reset register. */
const RESET = Uint8Array.of(
  ...[0xba, 0xf8, 0x03], // mov dx, 0x3f8
  ...[0xb0, 0x52, 0xee], // mov al, 'R'; out dx, al
  ...[0xba, 0xf9, 0x0c], // mov dx, 0xcf9
  ...[0xb0, 0x06, 0xee], // mov al, 6; out dx, al
  ...[0xeb, 0xfe], // jmp $
);

const tripleFault: Check = {
  name: "triple-fault",
  async run(context) {
    const options = flatGuest(context, "triple-fault.bin", TRIPLE_FAULT);
    const { status, errors } = await isola(context, { name: "triple-fault", args: ["run", ...options] });
    ensureEqual(status, TRIPLE_FAULT_STATUS, "the exit status");
    ensure(errors.startsWith("isola: the guest ended in a triple fault on vCPU 0\n"), `the message is: ${errors}`);
    for (const part of [/rax 0000000012345678/, /rip 0000000000007c0c/, /cs {3}0000/, /idtr .* limit 00000000/])
      ensure(part.test(errors), `the register dump lacks ${part}:\n${errors}`);
  },
};

const reset: Check = {
  name: "guest-reset",
  async run(context) {
    const options = flatGuest(context, "reset.bin", RESET);
    const once = await isola(context, { name: "guest-reset-once", args: ["run", ...options, "--no-reboot"] });
    ensureEqual([once.status, once.output], [0, "R"], "status and output with --no-reboot");
    const again = new IsolaProcess(context, { name: "guest-reset-again", args: ["run", ...options] });
    try {
      await again.expect(/R{20}/);
      again.kill("SIGTERM");
      ensureEqual((await again.result()).status, TERMINATED_STATUS, "the exit status after SIGTERM");
    } finally {
      again.kill();
    }
  },
};

const debugExit: Check = {
  name: "debug-exit",
  async run(context) {
    // mov al, 0x15; out 0xf4, al; jmp $
    const options = flatGuest(context, "exit.bin", Uint8Array.of(0xb0, 0x15, 0xe6, 0xf4, 0xeb, 0xfe));
    const args = ["run", ...options, "--device", "isa-debug-exit"];
    ensureEqual((await isola(context, { name: "debug-exit", args })).status, (0x15 << 1) | 1, "the exit status");
  },
};

/** Bytes that look random and are the same in every run. */
function noise(seed: string, length: number): Uint8Array {
  return createHash("shake256", { outputLength: length }).update(seed).digest();
}

/** A bzImage with a good header and noise for a kernel. */
function noisyKernel(seed: string): Uint8Array {
  const { bytes } = bzImage();
  const setupBytes = ((bytes[0x1f1] ?? 0) + 1) * 512;
  const kernel = Uint8Array.from(bytes);
  kernel.set(noise(seed, bytes.length - setupBytes), setupBytes);
  return kernel;
}

/** Runs a guest for some seconds; whatever it does, the process must end in one of the ways that are foreseen. */
async function ensureContained(context: CheckContext, name: string, options: readonly string[]): Promise<void> {
  const machine = new IsolaProcess(context, { name, args: ["run", ...options, "--no-reboot"] });
  const timer = setTimeout(() => machine.kill("SIGTERM"), 3000);
  try {
    const { status, signal, errors } = await machine.result();
    const foreseen = [0, TRIPLE_FAULT_STATUS, TERMINATED_STATUS];
    ensure(status !== null && foreseen.includes(status), `${name}: status ${status}, signal ${signal}:\n${errors}`);
    ensure(!/internal error|\n {4}at /.test(errors), `${name} shows a bug of ours:\n${errors}`);
  } finally {
    clearTimeout(timer);
    machine.kill();
  }
}

const garbage: Check = {
  name: "garbage-guests",
  async run(context) {
    for (const mode of ["real", "protected", "long"])
      for (const seed of ["a", "b"]) {
        const name = `garbage-${mode}-${seed}`;
        await ensureContained(context, name, flatGuest(context, name, noise(name, 1 << 19), mode));
      }
    const path = join(context.scratch, "garbage-kernel");
    writeFileSync(path, noisyKernel("kernel"));
    await ensureContained(context, "garbage-kernel", ["--kernel", path, "--memory", "64M", "--cpus", "2"]);
  },
};

export const flatGuests: readonly Check[] = [tripleFault, reset, debugExit, garbage];
