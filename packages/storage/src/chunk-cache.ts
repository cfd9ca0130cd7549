// SPDX-License-Identifier: Apache-2.0

/** Things read from an image, by their place in it; the least recently used are forgotten. */
export class ChunkCache<T> {
  private readonly chunks = new Map<number, T>();

  constructor(private readonly capacity: number) {}

  get(place: number): T | undefined {
    const chunk = this.chunks.get(place);
    if (chunk === undefined) return undefined;
    this.chunks.delete(place);
    this.chunks.set(place, chunk);
    return chunk;
  }

  set(place: number, chunk: T): void {
    if (this.chunks.size >= this.capacity) {
      const oldest = this.chunks.keys().next();
      if (oldest.done !== true) this.chunks.delete(oldest.value);
    }
    this.chunks.set(place, chunk);
  }

  clear(): void {
    this.chunks.clear();
  }
}
