// SPDX-License-Identifier: Apache-2.0
import type { BlockStore, Decompressor } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { damaged, unsupported } from "../image-error.js";
import { settled, type Steps } from "../steps.js";
import { Compression } from "./format.js";
import { zstdFrameLength } from "./zstd-frame.js";

/** Unpacked clusters are kept up to this many bytes: a guest reads a cluster in several requests. */
const CACHE_BYTES = 1 << 20;

/** Unpacks compressed clusters. */
export class CompressedClusters {
  private readonly unpacked = new Map<number, Uint8Array>();

  constructor(
    private readonly file: BlockStore,
    private readonly name: string,
    private readonly clusterSize: number,
    private readonly compression: Compression,
    private readonly decompressor: Decompressor | null,
  ) {}

  /** The whole cluster whose compressed form begins at `host` and has at most `packed` bytes. Not to be changed. */
  *read(host: number, packed: number): Steps<Uint8Array> {
    const known = this.unpacked.get(host);
    if (known !== undefined) return known;
    const data = new Uint8Array(packed);
    yield* readClipped(this.file, host, data);
    const cluster = yield* this.unpack(host, data);
    while (this.unpacked.size > 0 && (this.unpacked.size + 1) * this.clusterSize > CACHE_BYTES) {
      const oldest = this.unpacked.keys().next();
      if (oldest.done !== true) this.unpacked.delete(oldest.value);
    }
    this.unpacked.set(host, cluster);
    return cluster;
  }

  /** Clusters of the file have changed. */
  forget(): void {
    this.unpacked.clear();
  }

  private *unpack(host: number, data: Uint8Array): Steps<Uint8Array> {
    const { decompressor } = this;
    const zstd = this.compression === Compression.Zstd;
    if (decompressor === null) throw unsupported(this.name, "has compressed clusters, which this host cannot unpack");
    const unzstd = decompressor.unzstd?.bind(decompressor);
    if (zstd && unzstd === undefined)
      throw unsupported(this.name, "is compressed with zstd, which this host cannot unpack; convert it first");
    try {
      const work =
        zstd && unzstd !== undefined
          ? unzstd(data.subarray(0, Math.max(0, zstdFrameLength(data))), this.clusterSize)
          : decompressor.inflateRaw(data, this.clusterSize);
      const cluster = yield* settled(work);
      if (cluster.length !== this.clusterSize) throw damaged(this.name, `${cluster.length} bytes instead of a cluster`);
      return cluster;
    } catch (cause) {
      throw damaged(this.name, `the compressed cluster at ${host} cannot be unpacked`, { cause });
    }
  }
}
