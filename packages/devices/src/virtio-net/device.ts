// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { NetFrame, NetLink, NetOffload, NetPort } from "@isola/ports";
import { fromBytes } from "../access-width.js";
import { copyState } from "../device.js";
import { netCounts } from "../network-card.js";
import type { Chain } from "../virtio/chain.js";
import type { VirtioFunction, VirtioHost } from "../virtio/function.js";
import { obey } from "./control.js";
import { passes } from "./filter.js";
import { OutgoingFrame, parseHeader, writeHeader } from "./header.js";
import {
  ACK_ERROR,
  ACK_OK,
  Config,
  FEATURES,
  Header,
  MAX_COMMAND,
  MAX_FRAME,
  MIN_FRAME,
  NETWORK_CLASS,
  NETWORK_TYPE,
  NetFeature,
  Queue,
  QUEUE_SIZES,
  STATUS_LINK_UP,
} from "./registers.js";
import { receiveFilter, type VirtioNetState } from "./state.js";

export interface VirtioNetOptions {
  readonly link: NetLink;
  /** Six bytes, unicast. */
  readonly mac: readonly number[];
}

const NO_OFFLOAD: NetOffload = { checksum: false, tcp4: false, tcp6: false };

/** A virtio network card on a `NetLink`, with one pair of queues and the control queue. */
export class VirtioNet implements VirtioFunction<VirtioNetState>, NetPort {
  readonly type = NETWORK_TYPE;
  readonly classCode = NETWORK_CLASS;
  readonly features = FEATURES;
  readonly queueSizes = QUEUE_SIZES;
  readonly counts = netCounts();
  private readonly link: NetLink;
  private readonly ownMac: readonly number[];
  private host: VirtioHost | null = null;
  private s: VirtioNetState;
  private offloads: NetOffload | null = null;
  /** The network has a frame for which the driver had no buffer. */
  private waiting = false;
  /** The driver has a frame for which the network had no room. */
  private held = false;
  private readonly frame = new OutgoingFrame();
  private readonly buffer = new Uint8Array(MAX_FRAME);
  private readonly header = new Uint8Array(Header.Size);
  private readonly headerView = new DataView(this.header.buffer);
  private readonly chains: Chain[] = [];

  constructor({ link, mac }: VirtioNetOptions) {
    this.link = link;
    this.ownMac = [...mac];
    this.s = this.resetState();
    link.connect(this);
  }

  attach(host: VirtioHost): void {
    this.host = host;
  }

  get offload(): NetOffload {
    const { host } = this;
    if (host === null || !host.running) return NO_OFFLOAD;
    const checksum = host.hasFeature(NetFeature.GuestChecksum);
    this.offloads ??= {
      checksum,
      tcp4: checksum && host.hasFeature(NetFeature.GuestTso4),
      tcp6: checksum && host.hasFeature(NetFeature.GuestTso6),
    };
    return this.offloads;
  }

  /** A frame from the network. While no driver runs it is lost, as on a card that is not set up. */
  receive(frame: NetFrame): boolean {
    const { host, s } = this;
    if (host === null || !host.running) return true;
    if (frame.bytes.length < MIN_FRAME || !passes(s.filter, s.mac, frame.bytes)) return true;
    return this.fill(host, frame);
  }

  flush(): void {
    if (this.host !== null && this.host.running) this.host.used(Queue.Receive);
  }

  ready(): void {
    if (this.held && this.host !== null && this.host.running) this.transmit(this.host);
  }

  readConfig(offset: number, size: AccessSize): number {
    return fromBytes(offset, size, (at) => this.configByte(at));
  }

  /** The address is set by a control command; nothing of the configuration is writable. */
  writeConfig(): void {}

  notify(queue: number): void {
    const { host } = this;
    if (host === null || !host.running) return;
    if (queue === Queue.Transmit) this.transmit(host);
    else if (queue === Queue.Control) this.control(host);
    else if (this.waiting) {
      this.waiting = false;
      this.link.ready();
    }
  }

  reset(): void {
    this.s = this.resetState();
    this.offloads = null;
    // A network that waits for buffers is told of those of the next driver: the queues may not be touched here.
    this.held = false;
  }

  save(): VirtioNetState {
    return copyState(this.s);
  }

  restore(state: VirtioNetState): void {
    this.s = copyState(state);
    this.offloads = null;
    this.held = true;
    this.waiting = true;
  }

  private resetState(): VirtioNetState {
    return { version: 1, mac: [...this.ownMac], filter: receiveFilter() };
  }

  private configByte(offset: number): number {
    if (offset < Config.Status) return this.s.mac[offset];
    return offset === Config.Status ? STATUS_LINK_UP : 0;
  }

  /** Puts a frame into as many of the driver's buffers as it takes (5.1.6.4). */
  private fill(host: VirtioHost, frame: NetFrame): boolean {
    const { chains, header, headerView } = this;
    const ring = host.queues[Queue.Receive];
    const needed = Header.Size + frame.bytes.length;
    const merge = host.hasFeature(NetFeature.MergeReceiveBuffers);
    chains.length = 0;
    for (let room = 0; room < needed;) {
      const chain = ring.pop();
      if (chain === null) {
        ring.putBack(chains.length);
        // False only if the driver gave buffers meanwhile, which it does not while this thread is here.
        ring.enableNotify();
        if (!host.running) return true;
        this.counts.starved++;
        this.waiting = true;
        return false;
      }
      chains.push(chain);
      room += chain.writableLength;
      // The header must not be split (5.1.6.4.1), and without merging one buffer holds all.
      if (chains[0].writableLength < Header.Size || (room < needed && !merge)) {
        for (const unfit of chains) ring.push(unfit, 0);
        this.counts.dropped++;
        return true;
      }
    }
    writeHeader(frame, headerView);
    headerView.setUint16(Header.NumBuffers, chains.length, true);
    let done = 0;
    chains.forEach((chain, i) => {
      const start = i === 0 ? chain.write(host.ram, 0, header) : 0;
      const length = Math.min(chain.writableLength - start, frame.bytes.length - done);
      chain.write(host.ram, start, frame.bytes.subarray(done, done + length));
      done += length;
      ring.push(chain, start + length);
    });
    this.counts.framesIn++;
    this.counts.bytesIn += frame.bytes.length;
    return true;
  }

  private transmit(host: VirtioHost): void {
    const ring = host.queues[Queue.Transmit];
    const before = this.counts.framesOut;
    this.held = false;
    do {
      for (let chain = ring.pop(); chain !== null; chain = ring.pop()) {
        if (!this.send(host, chain)) {
          ring.putBack(1);
          this.held = true;
          break;
        }
        ring.push(chain, 0);
      }
    } while (!this.held && ring.enableNotify());
    if (this.counts.framesOut !== before) this.link.flush();
    host.used(Queue.Transmit);
  }

  /** False if the network has no room; a frame that makes no sense is dropped. */
  private send(host: VirtioHost, chain: Chain): boolean {
    const length = chain.readableLength - Header.Size;
    if (length < MIN_FRAME || length > MAX_FRAME) {
      this.counts.dropped++;
      return true;
    }
    chain.read(host.ram, 0, this.header);
    const bytes = this.buffer.subarray(0, length);
    chain.read(host.ram, Header.Size, bytes);
    if (!parseHeader(this.headerView, bytes, this.frame)) {
      this.counts.dropped++;
      return true;
    }
    if (!this.link.receive(this.frame)) return false;
    this.counts.framesOut++;
    this.counts.bytesOut += length;
    return true;
  }

  private control(host: VirtioHost): void {
    const ring = host.queues[Queue.Control];
    do {
      for (let chain = ring.pop(); chain !== null; chain = ring.pop()) {
        const command = new Uint8Array(Math.min(chain.readableLength, MAX_COMMAND));
        chain.read(host.ram, 0, command);
        const ack = obey(this.s, command) ? ACK_OK : ACK_ERROR;
        ring.push(chain, chain.write(host.ram, 0, Uint8Array.of(ack)));
      }
    } while (ring.enableNotify());
    host.used(Queue.Control);
  }
}
