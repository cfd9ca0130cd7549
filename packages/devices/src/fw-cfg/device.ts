// SPDX-License-Identifier: Apache-2.0
import { assert, OperatorError } from "@isola/base";
import type { AccessSize, GuestRam, IoHandler } from "@isola/memory";
import { checkState, copyState, type Device } from "../device.js";
import { fileDirectory } from "./file-directory.js";
import {
  DMA_SIGNATURE_HIGH,
  DMA_SIGNATURE_LOW,
  DMA_STRUCTURE_SIZE,
  DmaControl,
  FEATURES,
  FILE_NAME_LENGTH,
  FIRST_FILE_KEY,
  FwCfgKey,
  KEY_MASK,
  Port,
} from "./registers.js";
import { type FwCfgState, fwCfgResetState } from "./state.js";

interface Item {
  readonly bytes: Uint8Array;
  /** What a reset puts back into a writable item; null for a read-only one. */
  readonly initial: Uint8Array | null;
}

const EMPTY: Item = { bytes: new Uint8Array(0), initial: null };
const ZEROES = new Uint8Array(4096);

/**
 * The device through which firmware asks the machine for data: items by number, and files by name. The machine fills it
 * before the guest starts; the guest can change writable files only, and only by DMA.
 */
export class FwCfg implements Device<FwCfgState> {
  /** Ports 0x510-0x51B. */
  readonly handler: IoHandler = {
    read: (offset, size) => this.readPort(offset, size),
    write: (offset, size, value) => this.writePort(offset, size, value),
  };
  private readonly items = new Map<number, Item>();
  private readonly files: { name: string; key: number; size: number }[] = [];
  private s: FwCfgState = fwCfgResetState();

  constructor(private readonly ram: GuestRam) {
    this.set(FwCfgKey.signature, Uint8Array.of(0x51, 0x45, 0x4d, 0x55));
    this.set(FwCfgKey.features, Uint8Array.of(FEATURES, 0, 0, 0));
    this.set(FwCfgKey.fileDirectory, fileDirectory([]));
  }

  /** Sets an item by number. The bytes are not copied: they may be as large as a kernel. */
  set(key: number, bytes: Uint8Array): void {
    this.items.set(key, { bytes, initial: null });
  }

  /** Sets an item to a little-endian number of `size` bytes. */
  setNumber(key: number, value: number, size: 2 | 4 | 8): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setUint32(0, value % 2 ** 32, true);
    view.setUint32(4, Math.floor(value / 2 ** 32), true);
    this.set(key, new Uint8Array(view.buffer, 0, size));
  }

  /** Adds a named file and returns its key. A writable one is copied, since the guest may change it. */
  addFile(name: string, bytes: Uint8Array, writable = false): number {
    if (name.length >= FILE_NAME_LENGTH || this.files.some((file) => file.name === name))
      throw new OperatorError("bad-firmware-file", `firmware file ${name}: name is too long or used twice; rename it`);
    const key = FIRST_FILE_KEY + this.files.length;
    this.files.push({ name, key, size: bytes.length });
    this.items.set(key, writable ? { bytes: bytes.slice(), initial: bytes.slice() } : { bytes, initial: null });
    this.set(FwCfgKey.fileDirectory, fileDirectory(this.files));
    return key;
  }

  /** Gives a file that the guest cannot write other contents of the same length. */
  replaceFile(key: number, bytes: Uint8Array): void {
    const item = this.items.get(key);
    assert(item?.initial === null && item.bytes.length === bytes.length, "a firmware file keeps its length");
    this.items.set(key, { bytes, initial: null });
  }

  /** Present contents of an item, or null; for the machine to see what firmware wrote. */
  get(key: number): Uint8Array | null {
    return this.items.get(key)?.bytes ?? null;
  }

  reset(): void {
    this.s = fwCfgResetState();
    for (const item of this.items.values()) if (item.initial !== null) item.bytes.set(item.initial);
  }

  save(): FwCfgState {
    const state = copyState(this.s);
    for (const [key, item] of this.items) {
      if (item.initial !== null) state.writable.push({ key, bytes: [...item.bytes] });
    }
    return state;
  }

  restore(state: FwCfgState): void {
    checkState(state, "fw-cfg", 1);
    this.s = { ...copyState(state), writable: [] };
    for (const { key, bytes } of state.writable) {
      const item = this.items.get(key) ?? EMPTY;
      if (item.initial === null || item.bytes.length !== bytes.length) {
        throw new OperatorError(
          "bad-snapshot",
          `snapshot holds a firmware file ${key} of ${bytes.length} bytes that this machine does not have; ` +
            "restore it into a machine of the same configuration",
        );
      }
      item.bytes.set(bytes);
    }
  }

  private readPort(offset: number, size: AccessSize): number {
    if (offset === Port.Data) return this.readData();
    // Byte order on the wire is that of the text, so big endian.
    if (offset === Port.DmaHigh && size === 4) return swap32(DMA_SIGNATURE_HIGH);
    if (offset === Port.DmaLow && size === 4) return swap32(DMA_SIGNATURE_LOW);
    return 0;
  }

  private writePort(offset: number, size: AccessSize, value: number): void {
    if (offset === Port.Selector && size === 2) {
      this.select(value);
    } else if (offset === Port.DmaHigh && size === 4) {
      this.s.dmaHigh = swap32(value);
    } else if (offset === Port.DmaLow && size === 4) {
      const address = this.s.dmaHigh * 2 ** 32 + swap32(value);
      this.s.dmaHigh = 0;
      this.transfer(address);
    }
  }

  private select(key: number): void {
    this.s.selected = key & KEY_MASK;
    this.s.offset = 0;
  }

  private get item(): Item {
    return this.items.get(this.s.selected) ?? EMPTY;
  }

  private readData(): number {
    const { bytes } = this.item;
    return this.s.offset < bytes.length ? bytes[this.s.offset++] : 0;
  }

  /** Carries out the DMA structure at `address`; one that is not in RAM is ignored, as there is nowhere to report to. */
  private transfer(address: number): void {
    const structure = new Uint8Array(DMA_STRUCTURE_SIZE);
    if (!this.ram.read(address, structure)) return;
    const view = new DataView(structure.buffer);
    const control = view.getUint32(0);
    const length = view.getUint32(4);
    const target = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
    if ((control & DmaControl.Select) !== 0) this.select(control >>> 16);
    let done = true;
    if ((control & DmaControl.Read) !== 0) done = this.readDma(target, length);
    else if ((control & DmaControl.Write) !== 0) done = this.writeDma(target, length);
    else if ((control & DmaControl.Skip) !== 0) this.advance(length);
    // The control field is big endian too: zero, or the error bit in its last byte.
    this.ram.setU32(address, done ? 0 : swap32(DmaControl.Error));
  }

  /** Copies the item to guest memory; past its end come zeroes. */
  private readDma(target: number, length: number): boolean {
    if (this.ram.offsetOf(target, length) < 0) return false;
    const { bytes } = this.item;
    const data = bytes.subarray(this.s.offset, this.s.offset + length);
    this.ram.write(target, data);
    for (let at = data.length; at < length; at += ZEROES.length)
      this.ram.write(target + at, ZEROES.subarray(0, Math.min(ZEROES.length, length - at)));
    this.advance(length);
    return true;
  }

  private writeDma(target: number, length: number): boolean {
    const { bytes, initial } = this.item;
    if (initial === null || this.s.offset + length > bytes.length) return false;
    if (!this.ram.read(target, bytes.subarray(this.s.offset, this.s.offset + length))) return false;
    this.advance(length);
    return true;
  }

  private advance(length: number): void {
    this.s.offset = Math.min(this.s.offset + length, this.item.bytes.length);
  }
}

function swap32(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
