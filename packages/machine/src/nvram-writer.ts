// SPDX-License-Identifier: Apache-2.0
import { FLASH_BLOCK_SIZE } from "@isola/devices";
import type { BlockStore } from "@isola/ports";

/**
 * Carries changes of a flash chip to a store of the host. What the guest changes in one go is written and flushed
 * together, and while that is under way the next changes wait, so that the store holds the chip as it was at some time.
 */
export class NvramWriter {
  private readonly dirty = new Set<number>();
  private work: Promise<void> | null = null;

  /** @param onError told of each failure; the blocks are written again with the next change */
  constructor(
    private readonly contents: Uint8Array,
    private readonly store: BlockStore,
    private readonly onError: (error: unknown) => void,
  ) {}

  changed(offset: number, length: number): void {
    const last = Math.floor((offset + length - 1) / FLASH_BLOCK_SIZE);
    for (let block = Math.floor(offset / FLASH_BLOCK_SIZE); block <= last; block++) this.dirty.add(block);
    this.work ??= this.writeAll();
  }

  /** Resolves when all changes so far are in the store, or have failed to get there. */
  async settle(): Promise<void> {
    if (this.work === null && this.dirty.size > 0) this.work = this.writeAll();
    await this.work;
  }

  private async writeAll(): Promise<void> {
    // Let the guest finish its share of time first: it changes a byte after the other.
    await Promise.resolve();
    try {
      while (this.dirty.size > 0) await this.writeDirty();
    } catch (error) {
      this.onError(error);
    } finally {
      this.work = null;
    }
  }

  private async writeDirty(): Promise<void> {
    const copies = [...this.dirty]
      .toSorted((a, b) => a - b)
      .map((block) => {
        const offset = block * FLASH_BLOCK_SIZE;
        return { block, offset, bytes: this.contents.slice(offset, offset + FLASH_BLOCK_SIZE) };
      });
    this.dirty.clear();
    try {
      for (const { offset, bytes } of copies) await this.store.write(offset, bytes);
      await this.store.flush();
    } catch (error) {
      for (const { block } of copies) this.dirty.add(block);
      throw error;
    }
  }
}
