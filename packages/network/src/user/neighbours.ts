// SPDX-License-Identifier: Apache-2.0
import { equal } from "../frame/bytes.js";
import { formatIp, type IpAddress } from "../ip/address.js";

const MAX_NEIGHBOURS = 1024;

/** Which guest has which address, learned from what guests send. The oldest is forgotten when there are too many. */
export class Neighbours {
  private readonly known = new Map<string, Uint8Array>();
  private lastIp: IpAddress = new Uint8Array(0);
  private lastMac: Uint8Array = new Uint8Array(0);

  learn(address: IpAddress, mac: Uint8Array): void {
    // One guest after the other says the same in every frame.
    if (equal(address, this.lastIp) && equal(mac, this.lastMac)) return;
    this.lastIp = address.slice();
    this.lastMac = mac.slice();
    const key = formatIp(address);
    this.known.delete(key);
    this.known.set(key, this.lastMac);
    if (this.known.size <= MAX_NEIGHBOURS) return;
    const oldest = this.known.keys().next();
    if (oldest.done !== true) this.known.delete(oldest.value);
  }

  /** MAC address of a guest, or null if it was never heard. */
  find(address: IpAddress): Uint8Array | null {
    if (equal(address, this.lastIp)) return this.lastMac;
    return this.known.get(formatIp(address)) ?? null;
  }
}
