// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler, IrqLine } from "@isola/memory";
import { allOnes, partOf } from "../access-width.js";
import { checkState, type Device } from "../device.js";
import { TEST_MEMORY_SIZE } from "./registers.js";
import { type TestDeviceState, testDeviceResetState, trimmed } from "./state.js";

/** What kvm-unit-tests needs beyond a PC: interrupt lines to pull, ports that echo, memory behind a device. */
export class TestDevice implements Device<TestDeviceState> {
  /** Four ports that read back what was written, in any width. Mapped at 0xE0 and at 0xE8. */
  readonly echoHandler: IoHandler = {
    read: (offset, size) => partOf(this.echo, offset, size),
    write: (offset, size, value) => {
      const shift = (offset & 3) * 8;
      const mask = (allOnes(size) << shift) >>> 0;
      this.echo = ((this.echo & ~mask) | ((value << shift) & mask)) >>> 0;
    },
  };
  /** A write asks for a page to be unmapped and mapped again behind the guest's back; there is nothing to do here. */
  readonly flushHandler: IoHandler = { read: (_offset, size) => allOnes(size), write: () => {} };
  /** One port for each interrupt line: zero lowers it, anything else raises it. */
  readonly irqHandler: IoHandler = {
    read: () => 0xff,
    write: (offset, _size, value) => this.lines[offset]?.set((value & 0xff) !== 0),
  };
  /** Memory that is reached through the bus. */
  readonly memoryHandler: IoHandler = {
    read: (offset, size) => {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = (value << 8) | (this.memory[offset + i] ?? 0);
      return value >>> 0;
    },
    write: (offset, size, value) => this.writeMemory(offset, size, value),
  };
  private echo = 0;
  private readonly memory = new Uint8Array(TEST_MEMORY_SIZE);

  /** @param lines interrupt lines by number, as the ISA bus has them */
  constructor(private readonly lines: readonly IrqLine[]) {}

  reset(): void {
    this.echo = 0;
    this.memory.fill(0);
  }

  save(): TestDeviceState {
    return { ...testDeviceResetState(), echo: this.echo, memory: trimmed(this.memory) };
  }

  restore(state: TestDeviceState): void {
    checkState(state, "test-device", 1);
    this.echo = state.echo >>> 0;
    this.memory.fill(0);
    this.memory.set(state.memory.slice(0, TEST_MEMORY_SIZE));
  }

  private writeMemory(offset: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size && offset + i < TEST_MEMORY_SIZE; i++) this.memory[offset + i] = value >>> (8 * i);
  }
}
