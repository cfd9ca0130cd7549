// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";

/** Element type of a field. `v128` is 16 bytes; arrays of it may have a wider stride. */
export type FieldType = "u8" | "u16" | "u32" | "u64" | "v128";

const WIDTH: { readonly [K in FieldType]: number } = { u8: 1, u16: 2, u32: 4, u64: 8, v128: 16 };

export interface FieldSpec {
  readonly type: FieldType;
  /** Elements, 1 unless given. */
  readonly count?: number;
  /** Bytes from one element to the next; the element's width unless given. */
  readonly stride?: number;
  /** What the field holds. */
  readonly doc: string;
}

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Bytes from the start of the record. */
  readonly offset: number;
  readonly width: number;
  readonly count: number;
  readonly stride: number;
  readonly doc: string;
}

/** A record in linear memory. Offsets are computed here and never typed by hand. */
export interface Layout<Name extends string> {
  readonly fields: { readonly [K in Name]: Field };
  /** Whole size in bytes, a multiple of 64. */
  readonly size: number;
  /** Offset of element `index` of `name`. */
  at(name: Name, index?: number): number;
}

/** Lays fields out in the order given, each aligned to its own width. */
export function defineLayout<Name extends string>(specs: { readonly [K in Name]: FieldSpec }): Layout<Name> {
  const fields: Partial<Record<Name, Field>> = {};
  let offset = 0;
  for (const name of Object.keys(specs) as Name[]) {
    const { type, count = 1, doc, ...rest } = specs[name];
    const width = WIDTH[type];
    const stride = rest.stride ?? width;
    const alignment = Math.max(width, stride % 64 === 0 ? 64 : width);
    offset = Math.ceil(offset / alignment) * alignment;
    fields[name] = { name, type, offset, width, count, stride, doc };
    offset += stride * count;
  }
  const all = fields as Record<Name, Field>;
  return {
    fields: all,
    size: Math.ceil(offset / 64) * 64,
    at(name, index = 0) {
      const field = all[name];
      assert(index >= 0 && index < field.count, `${name}[${index}] is outside its field`);
      return field.offset + index * field.stride;
    },
  };
}
