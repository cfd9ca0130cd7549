// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { type FunctionBody, VALUE_TYPE_CODE } from "./code.js";
import { ByteWriter } from "./byte-writer.js";
import type { ValueType } from "./opcodes.js";

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

interface Import {
  readonly module: string;
  readonly name: string;
  readonly descriptor: ByteWriter;
}

const enum Section {
  Custom = 0,
  Type = 1,
  Import = 2,
  Function = 3,
  Export = 7,
  Element = 9,
  Code = 10,
}

const FUNCTION_EXPORT = 0;
/** Magic number and version. */
const HEADER: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const SIZE_BYTES = 5;

/**
 * Assembles one WebAssembly module. Imports come first: declare them before the first function. Knows the binary
 * format only; what the functions mean is the caller's business.
 */
export class ModuleBuilder {
  private readonly types: Signature[] = [];
  private readonly imports: Import[] = [];
  private readonly functions: { type: number; body: FunctionBody | null }[] = [];
  private readonly exported: { name: string; index: number }[] = [];
  private readonly elements: { offset: number; functions: readonly number[] }[] = [];
  private importedFunctions = 0;

  /** Index of `signature` in the type section, added if new. */
  typeIndex(signature: Signature): number {
    const same = (a: readonly ValueType[], b: readonly ValueType[]): boolean =>
      a.length === b.length && a.every((type, i) => type === b[i]);
    const found = this.types.findIndex(
      (type) => same(type.parameters, signature.parameters) && same(type.results, signature.results),
    );
    return found >= 0 ? found : this.types.push(signature) - 1;
  }

  importFunction(module: string, name: string, signature: Signature): number {
    assert(this.functions.length === 0, "imports come before functions");
    const descriptor = new ByteWriter(8);
    descriptor.byte(0);
    descriptor.unsigned(this.typeIndex(signature));
    this.imports.push({ module, name, descriptor });
    return this.importedFunctions++;
  }

  /** Imports memory 0; limits in pages of 64 KiB. */
  importMemory(module: string, name: string, minimum: number, maximum: number, shared: boolean): void {
    const descriptor = new ByteWriter(16);
    descriptor.append([2, shared ? 3 : 1]);
    descriptor.unsigned(minimum);
    descriptor.unsigned(maximum);
    this.imports.push({ module, name, descriptor });
  }

  /** Imports table 0 of function references with at least `minimum` entries. */
  importTable(module: string, name: string, minimum: number): void {
    const descriptor = new ByteWriter(16);
    descriptor.append([1, 0x70, 0]);
    descriptor.unsigned(minimum);
    this.imports.push({ module, name, descriptor });
  }

  /** Reserves an index for a function whose body is given later. */
  declareFunction(signature: Signature): number {
    this.functions.push({ type: this.typeIndex(signature), body: null });
    return this.importedFunctions + this.functions.length - 1;
  }

  defineFunction(index: number, body: FunctionBody): void {
    const entry = this.functions[index - this.importedFunctions];
    assert(entry !== undefined && entry.body === null, `function ${index} is unknown or defined twice`);
    entry.body = body;
  }

  exportFunction(name: string, index: number): void {
    this.exported.push({ name, index });
  }

  /** Puts functions into table 0 from `offset` on when the module is instantiated. */
  element(offset: number, functions: readonly number[]): void {
    this.elements.push({ offset, functions });
  }

  /** The binary module. */
  build(): Uint8Array {
    const out = new ByteWriter(4096);
    out.append(HEADER);
    section(out, Section.Type, this.types, (type) => {
      out.byte(0x60);
      writeTypes(out, type.parameters);
      writeTypes(out, type.results);
    });
    section(out, Section.Import, this.imports, (entry) => {
      writeName(out, entry.module);
      writeName(out, entry.name);
      out.append(entry.descriptor.bytes);
    });
    section(out, Section.Function, this.functions, (entry) => out.unsigned(entry.type));
    section(out, Section.Export, this.exported, (entry) => {
      writeName(out, entry.name);
      out.byte(FUNCTION_EXPORT);
      out.unsigned(entry.index);
    });
    section(out, Section.Element, this.elements, (entry) => {
      out.append([0, 0x41]);
      out.signed32(entry.offset);
      out.byte(0x0b);
      out.unsigned(entry.functions.length);
      for (const index of entry.functions) out.unsigned(index);
    });
    const bodies = this.functions.map(({ body }) => {
      assert(body !== null, "a declared function has no body");
      const { declarations, bytes, hints } = body;
      return { declarations, bytes, hints };
    });
    this.branchHints(out, bodies);
    section(out, Section.Code, bodies, ({ declarations, bytes }) => {
      out.unsigned(declarations.length + bytes.length + 1);
      out.append(declarations);
      out.append(bytes);
      out.byte(0x0b);
    });
    return out.bytes.slice();
  }

  /** The custom section of the branch-hinting proposal; it comes before the code. */
  private branchHints(out: ByteWriter, bodies: readonly FunctionBody[]): void {
    const hinted = bodies.map((body, i) => ({ ...body, index: this.importedFunctions + i }));
    const withHints = hinted.filter(({ hints }) => hints.length > 0);
    if (withHints.length === 0) return;
    const end = beginSection(out, Section.Custom);
    writeName(out, "metadata.code.branch_hint");
    out.unsigned(withHints.length);
    for (const { declarations, hints, index } of withHints) {
      out.unsigned(index);
      out.unsigned(hints.length);
      for (const { offset, taken } of hints) {
        // Offsets count from the start of the function's declaration of locals.
        out.unsigned(offset + declarations.length);
        out.byte(1);
        out.byte(taken ? 1 : 0);
      }
    }
    end();
  }
}

/** Writes a section's header. The function that it returns is to be called behind the section's contents. */
function beginSection(out: ByteWriter, id: Section): () => void {
  out.byte(id);
  const at = out.length;
  // The size is filled in afterwards: five bytes, which any 32-bit number fits.
  out.append([0x80, 0x80, 0x80, 0x80, 0]);
  return () => {
    let size = out.length - at - SIZE_BYTES;
    for (let i = 0; i < SIZE_BYTES; i++) {
      out.replace(at + i, (size & 0x7f) | (i < SIZE_BYTES - 1 ? 0x80 : 0));
      size >>>= 7;
    }
  };
}

function section<T>(out: ByteWriter, id: Section, entries: readonly T[], write: (entry: T) => void): void {
  if (entries.length === 0) return;
  const end = beginSection(out, id);
  out.unsigned(entries.length);
  for (const entry of entries) write(entry);
  end();
}

function writeTypes(out: ByteWriter, types: readonly ValueType[]): void {
  out.unsigned(types.length);
  for (const type of types) out.byte(VALUE_TYPE_CODE[type]);
}

function writeName(out: ByteWriter, name: string): void {
  out.unsigned(name.length);
  for (let i = 0; i < name.length; i++) out.byte(name.charCodeAt(i) & 0x7f);
}
