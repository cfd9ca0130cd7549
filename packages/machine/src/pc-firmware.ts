// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { type Device, type DeviceState, FLASH_BLOCK_SIZE } from "@isola/devices";
import type { ExtraMemory } from "@isola/isa-x86";
import type { BlockStore } from "@isola/ports";
import type { BoardContext } from "./board.js";
import type { MachineConfig } from "./config.js";
import { NvramWriter } from "./nvram-writer.js";
import { PcFlash } from "./pc-flash.js";
import { FOUR_GIB, MAX_FIRMWARE, MIN_FIRMWARE } from "./pc-layout.js";

type Files = Readonly<Record<string, Uint8Array>>;

/** Contents of the chips that end at 4 GiB. Without non-volatile memory there is one, a ROM. */
interface Images {
  readonly code: Uint8Array;
  readonly nvram: Uint8Array | null;
}

function file(files: Files, name: string): Uint8Array {
  const bytes = files[name];
  if (bytes === undefined) throw new OperatorError("no-such-file", `the host has no file "${name}"`);
  return bytes;
}

function checkSize(bytes: number, what: string): void {
  if (bytes > 0 && bytes % FLASH_BLOCK_SIZE === 0) return;
  throw new OperatorError("bad-firmware", `${what} of ${bytes} bytes is not possible: give whole blocks of 4 KiB`);
}

function imagesOf({ boot }: MachineConfig, files: Files): Images {
  if (boot.kind !== "firmware") throw new OperatorError("wrong-boot-source", "a pc starts by its firmware");
  const code = file(files, boot.file);
  const nvram = boot.nvram === null ? null : file(files, boot.nvram.contents);
  checkSize(code.length, "firmware");
  if (nvram !== null) checkSize(nvram.length, "non-volatile memory");
  const total = code.length + (nvram?.length ?? 0);
  if (code.length < MIN_FIRMWARE || total > MAX_FIRMWARE)
    throw new OperatorError(
      "bad-firmware",
      `firmware of ${total} bytes is not possible: it has ${MIN_FIRMWARE >> 10} KiB to ${MAX_FIRMWARE >> 20} MiB`,
    );
  return { code, nvram };
}

/** Bytes of memory beside RAM that the firmware of `config` takes. Throws OperatorError if it is no firmware. */
export function firmwareBytes(config: MachineConfig, files: Files): number {
  const { code, nvram } = imagesOf(config, files);
  return code.length + (nvram?.length ?? 0);
}

/**
 * The firmware of a `pc` at the top of 4 GiB: a ROM, or two flash chips, of which the lower one can be written to and may
 * be kept in a store of the host.
 */
export class PcFirmware {
  /** What the processor starts in. */
  readonly memory: ExtraMemory;
  readonly chips: readonly Device<DeviceState>[];
  private readonly writer: NvramWriter | null;

  constructor(
    { physical, mmio, config, ports }: BoardContext,
    openStore: (name: string) => BlockStore,
    onStoreError: (error: unknown) => void,
  ) {
    const { code, nvram } = imagesOf(config, ports.files);
    const start = FOUR_GIB - code.length;
    if (nvram === null || config.boot.kind !== "firmware") {
      this.memory = physical.takeExtra(code.length);
      this.memory.bytes.set(code);
      physical.addWindow(this.memory, false).place(start);
      this.chips = [];
      this.writer = null;
      return;
    }
    const program = new PcFlash(physical, mmio, { image: code, start, readOnly: true });
    const variables = new PcFlash(physical, mmio, {
      image: nvram,
      start: start - nvram.length,
      readOnly: false,
      changed: (offset, length) => this.writer?.changed(offset, length),
    });
    this.memory = program.memory;
    this.chips = [program.chip, variables.chip];
    const name = config.boot.nvram?.store ?? null;
    if (name === null) {
      this.writer = null;
      return;
    }
    const store = openStore(name);
    if (store.size !== nvram.length || store.readOnly)
      throw new OperatorError(
        "bad-nvram",
        `the store of the non-volatile memory does not fit it: give it its own file`,
      );
    this.writer = new NvramWriter(variables.memory.bytes, store, onStoreError);
  }

  /** Resolves when what the guest has written is in its store. */
  async settle(): Promise<void> {
    await this.writer?.settle();
  }
}
