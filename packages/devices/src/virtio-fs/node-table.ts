// SPDX-License-Identifier: Apache-2.0
import { type FileNode, type FileTree, FileTreeError } from "@isola/ports";
import { Errno, ROOT_NODE } from "./fuse-abi.js";

interface KnownNode {
  readonly number: number;
  readonly node: FileNode;
  /** How often the guest has been told of it, and not yet said that it forgets it. */
  lookups: number;
}

/** The nodes that the guest knows, by the numbers under which it knows them. */
export class NodeTable {
  private readonly byNumber = new Map<number, KnownNode>();
  private readonly byIdentity = new Map<string, KnownNode>();
  private next = ROOT_NODE + 1;

  /** @param limit most nodes beside the root */
  constructor(
    private readonly tree: FileTree,
    private readonly limit: number,
  ) {}

  get size(): number {
    return this.byNumber.size;
  }

  /** Throws ESTALE for a number that the guest does not know. */
  get(number: number): FileNode {
    if (number === ROOT_NODE) return this.tree.root;
    const known = this.byNumber.get(number);
    if (known === undefined) throw new FileTreeError(Errno.Stale);
    return known.node;
  }

  /** A node that the guest is about to be told of; returns its number, and the object that stays. */
  add(node: FileNode): { readonly number: number; readonly node: FileNode } {
    if (node.identity === this.tree.root.identity) {
      this.tree.release(node);
      return { number: ROOT_NODE, node: this.tree.root };
    }
    const known = this.byIdentity.get(node.identity);
    if (known !== undefined) {
      if (known.node !== node) this.tree.release(node);
      known.lookups++;
      return known;
    }
    if (this.byNumber.size >= this.limit) {
      this.tree.release(node);
      throw new FileTreeError(Errno.TooManyFiles);
    }
    const fresh = { number: this.next++, node, lookups: 1 };
    this.byNumber.set(fresh.number, fresh);
    this.byIdentity.set(node.identity, fresh);
    return fresh;
  }

  /** The guest forgets a node as often as `count` says. */
  forget(number: number, count: number): void {
    const known = this.byNumber.get(number);
    if (known === undefined) return;
    known.lookups -= count;
    if (known.lookups > 0) return;
    this.byNumber.delete(number);
    this.byIdentity.delete(known.node.identity);
    this.tree.release(known.node);
  }

  clear(): void {
    for (const { node } of this.byNumber.values()) this.tree.release(node);
    this.byNumber.clear();
    this.byIdentity.clear();
  }
}
