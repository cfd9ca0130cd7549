// SPDX-License-Identifier: Apache-2.0

const PAGE = 4096;

/** A count for each cluster of a file, most of them zero in a file that is mostly holes. */
export class ReferenceCounts {
  private readonly pages = new Map<number, Uint32Array>();
  /** One more than the highest cluster that was counted. */
  end = 0;

  get(cluster: number): number {
    return this.pages.get(Math.floor(cluster / PAGE))?.[cluster % PAGE] ?? 0;
  }

  add(cluster: number): void {
    const index = Math.floor(cluster / PAGE);
    let page = this.pages.get(index);
    if (page === undefined) this.pages.set(index, (page = new Uint32Array(PAGE)));
    page[cluster % PAGE]++;
    if (cluster >= this.end) this.end = cluster + 1;
  }

  /** Clusters with a count, in no order. */
  *counted(): Generator<number> {
    for (const [index, page] of this.pages) for (let i = 0; i < PAGE; i++) if (page[i] > 0) yield index * PAGE + i;
  }
}
