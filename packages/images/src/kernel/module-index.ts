// SPDX-License-Identifier: Apache-2.0

/** Values of one key with their priority: of two modules that claim an alias, the lower number comes first. */
interface Node {
  readonly children: Map<number, Node>;
  readonly values: { readonly value: string; readonly priority: number }[];
}

const MAGIC = 0xb007f457;
const VERSION = 0x00020001;
const HAS_PREFIX = 0x80000000;
const HAS_VALUES = 0x40000000;
const HAS_CHILDREN = 0x20000000;

/**
 * The index that kmod reads (`modules.dep.bin`, `modules.alias.bin`): a trie with path compression, big-endian. A node
 * is written after its children as: prefix with NUL, if any; first and last child character and the children's places;
 * number of values and each value's priority and text. Its place carries three flags that say what is present.
 */
export class ModuleIndex {
  private readonly root: Node = { children: new Map(), values: [] };

  /** Adds a value; keys and values are ASCII. */
  add(key: string, value: string, priority: number): void {
    let node = this.root;
    for (let i = 0; i < key.length; i++) {
      const character = key.charCodeAt(i) & 0x7f;
      let child = node.children.get(character);
      if (!child) {
        child = { children: new Map(), values: [] };
        node.children.set(character, child);
      }
      node = child;
    }
    if (!node.values.some((known) => known.value === value)) node.values.push({ value, priority });
  }

  encode(): Uint8Array {
    const parts: Uint8Array[] = [];
    let position = 12;
    const put = (bytes: Uint8Array): void => {
      parts.push(bytes);
      position += bytes.length;
    };
    const word = (value: number): Uint8Array => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value);
      return bytes;
    };
    const write = (start: Node): number => {
      let node = start;
      let prefix = "";
      for (let only = soleChild(node); only; only = soleChild(node)) {
        prefix += String.fromCharCode(only[0]);
        node = only[1];
      }
      const codes = [...node.children.keys()].sort((a, b) => a - b);
      const places = new Map<number, number>();
      for (const code of codes) {
        const child = node.children.get(code);
        if (child) places.set(code, write(child));
      }
      let place = position;
      if (prefix !== "") {
        put(Buffer.from(`${prefix}\0`, "latin1"));
        place |= HAS_PREFIX;
      }
      if (codes.length > 0) {
        const first = codes[0];
        const last = codes[codes.length - 1];
        put(Uint8Array.of(first, last));
        for (let code = first; code <= last; code++) put(word(places.get(code) ?? 0));
        place |= HAS_CHILDREN;
      }
      if (node.values.length > 0) {
        put(word(node.values.length));
        for (const { value, priority } of node.values.sort((a, b) => a.priority - b.priority)) {
          put(word(priority));
          put(Buffer.from(`${value}\0`, "latin1"));
        }
        place |= HAS_VALUES;
      }
      return place >>> 0;
    };
    const root = write(this.root);
    return Buffer.concat([word(MAGIC), word(VERSION), word(root), ...parts]);
  }
}

/** The child of a node that has nothing else, so that both can be written as one. */
function soleChild(node: Node): [number, Node] | undefined {
  if (node.values.length > 0 || node.children.size !== 1) return undefined;
  const [entry] = node.children;
  return entry;
}
