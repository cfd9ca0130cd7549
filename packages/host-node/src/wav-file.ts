// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync } from "node:fs";
import { endianness } from "node:os";
import type { AudioFormat, AudioSink } from "@isola/ports";
import { writeFully } from "./file-io.js";
import { orFileError } from "./host-error.js";

const HEADER_BYTES = 44;
const RIFF_SIZE_AT = 4;
const DATA_SIZE_AT = 40;
/** Bytes of a RIFF file beside its samples that its first size counts. */
const RIFF_OVERHEAD = HEADER_BYTES - 8;
const MAX_DATA = 0xffff_ffff - RIFF_OVERHEAD;
const SAMPLE_BYTES = 2;
const FORMAT_PCM = 1;

function header({ rate, channels }: AudioFormat): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write("RIFF", 0, "latin1");
  bytes.writeUInt32LE(RIFF_OVERHEAD, RIFF_SIZE_AT);
  bytes.write("WAVEfmt ", 8, "latin1");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(FORMAT_PCM, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * channels * SAMPLE_BYTES, 28);
  bytes.writeUInt16LE(channels * SAMPLE_BYTES, 32);
  bytes.writeUInt16LE(8 * SAMPLE_BYTES, 34);
  bytes.write("data", 36, "latin1");
  return bytes;
}

/**
 * A WAV file that takes the sound of a machine; silence between sounds is left out. Its sizes are written again after
 * every piece of sound, so that the file is whole whenever the process ends. What does not fit the disk, or the 4 GiB of
 * the format, is lost.
 */
export class WavFile implements AudioSink {
  private readonly descriptor: number;
  private dataBytes = 0;
  private full = false;

  /** Throws OperatorError if the file cannot be made. */
  constructor(path: string) {
    this.descriptor = orFileError("write", path, () => openSync(path, "w"));
  }

  open(format: AudioFormat): void {
    this.put(header(format), 0);
  }

  write(samples: Int16Array): void {
    const bytes = Buffer.from(samples.buffer.slice(samples.byteOffset, samples.byteOffset + samples.byteLength));
    if (endianness() === "BE") bytes.swap16();
    if (this.full || this.dataBytes + bytes.length > MAX_DATA) return;
    // The sizes come last, and never speak of bytes that are not there.
    if (!this.put(bytes, HEADER_BYTES + this.dataBytes)) return;
    this.dataBytes += bytes.length;
    this.putSize(this.dataBytes, DATA_SIZE_AT);
    this.putSize(this.dataBytes + RIFF_OVERHEAD, RIFF_SIZE_AT);
  }

  close(): void {
    this.full = true;
    closeSync(this.descriptor);
  }

  private putSize(size: number, at: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(size);
    this.put(bytes, at);
  }

  private put(bytes: Uint8Array, at: number): boolean {
    try {
      writeFully(this.descriptor, at, bytes);
    } catch {
      // A full disk must not end the machine for the sake of its sound.
      this.full = true;
    }
    return !this.full;
  }
}
