// SPDX-License-Identifier: Apache-2.0
import type { DiskFolder } from "../disk/disk-folder.js";

const DIGEST_SIZE = 32;
/** Of one guest, and of all. */
export const MAX_GUEST_BYTES: number = 48 * 2 ** 20;
const MAX_ALL_BYTES = 256 * 2 ** 20;

/**
 * Compiled guest code in the browser's storage. Each file begins with a digest over the version of the program and the
 * code, so that what another version has written, or a tab that was closed meanwhile, counts as not being there. Whatever
 * goes wrong costs time only, so nothing is ever thrown.
 */
export class TranslationStore {
  /**
   * @param name of the guest
   * @param version equal for programs that generate equal code
   */
  constructor(
    private readonly folder: () => Promise<DiskFolder>,
    private readonly name: string,
    private readonly version: string,
  ) {}

  /** The code, or null if there is none of this version. */
  async read(): Promise<Uint8Array | null> {
    try {
      const content = new Uint8Array(await (await (await this.folder()).file(this.name)).arrayBuffer());
      const code = content.subarray(DIGEST_SIZE);
      const digest = await this.digest(code);
      return digest.every((byte, i) => byte === content[i]) ? code : null;
    } catch {
      return null;
    }
  }

  /** Replaces the code. */
  async write(code: Uint8Array): Promise<void> {
    try {
      const digest = await this.digest(code);
      const folder = await this.folder();
      await this.makeRoom(folder, code.length);
      const file = await folder.openFile(this.name);
      try {
        file.resize(DIGEST_SIZE + code.length);
        file.write(DIGEST_SIZE, code);
        file.write(0, digest);
        file.flush();
      } finally {
        await file.close();
      }
    } catch {
      // Another tab with the same guest writes at this moment, or there is no room.
    }
  }

  private async makeRoom(folder: DiskFolder, length: number): Promise<void> {
    const others = (await folder.list()).filter(({ name }) => name !== this.name);
    let left = MAX_ALL_BYTES - length;
    for (const { name, size } of others) {
      left -= size;
      if (left < 0) await folder.remove(name);
    }
  }

  private async digest(code: Uint8Array): Promise<Uint8Array> {
    const version = Uint8Array.from(this.version, (character) => character.charCodeAt(0) & 0xff);
    const whole = new Uint8Array(version.length + 1 + code.length);
    whole.set(version);
    whole.set(code, version.length + 1);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  }
}
