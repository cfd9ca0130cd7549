// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { type CodeBuilder, VALUE_TYPE_CODE } from "./code.js";
import { pushUnsigned, pushSigned32 } from "./leb128.js";
import type { ValueType } from "./opcodes.js";

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

interface Import {
  readonly module: string;
  readonly name: string;
  readonly descriptor: readonly number[];
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

/**
 * Assembles one WebAssembly module. Imports come first: declare them before the first function. Knows the binary
 * format only; what the functions mean is the caller's business.
 */
export class ModuleBuilder {
  private readonly types: Signature[] = [];
  private readonly imports: Import[] = [];
  private readonly functions: { type: number; code: CodeBuilder | null }[] = [];
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
    const descriptor: number[] = [0];
    pushUnsigned(descriptor, this.typeIndex(signature));
    this.imports.push({ module, name, descriptor });
    return this.importedFunctions++;
  }

  /** Imports memory 0; limits in pages of 64 KiB. */
  importMemory(module: string, name: string, minimum: number, maximum: number, shared: boolean): void {
    const descriptor = [2, shared ? 3 : 1];
    pushUnsigned(descriptor, minimum);
    pushUnsigned(descriptor, maximum);
    this.imports.push({ module, name, descriptor });
  }

  /** Imports table 0 of function references with at least `minimum` entries. */
  importTable(module: string, name: string, minimum: number): void {
    const descriptor = [1, 0x70, 0];
    pushUnsigned(descriptor, minimum);
    this.imports.push({ module, name, descriptor });
  }

  /** Reserves an index for a function whose body is given later. */
  declareFunction(signature: Signature): number {
    this.functions.push({ type: this.typeIndex(signature), code: null });
    return this.importedFunctions + this.functions.length - 1;
  }

  defineFunction(index: number, code: CodeBuilder): void {
    const entry = this.functions[index - this.importedFunctions];
    assert(entry !== undefined && entry.code === null, `function ${index} is unknown or defined twice`);
    entry.code = code;
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
    const out: number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    section(out, Section.Type, this.types, (bytes, type) => {
      bytes.push(0x60);
      pushTypes(bytes, type.parameters);
      pushTypes(bytes, type.results);
    });
    section(out, Section.Import, this.imports, (bytes, entry) => {
      pushName(bytes, entry.module);
      pushName(bytes, entry.name);
      bytes.push(...entry.descriptor);
    });
    section(out, Section.Function, this.functions, (bytes, entry) => pushUnsigned(bytes, entry.type));
    section(out, Section.Export, this.exported, (bytes, entry) => {
      pushName(bytes, entry.name);
      bytes.push(FUNCTION_EXPORT);
      pushUnsigned(bytes, entry.index);
    });
    section(out, Section.Element, this.elements, (bytes, entry) => {
      bytes.push(0, 0x41);
      pushSigned32(bytes, entry.offset);
      bytes.push(0x0b);
      pushUnsigned(bytes, entry.functions.length);
      for (const index of entry.functions) pushUnsigned(bytes, index);
    });
    this.branchHints(out);
    section(out, Section.Code, this.functions, (bytes, entry) => {
      assert(entry.code !== null, "a declared function has no body");
      const body = functionBody(entry.code);
      pushUnsigned(bytes, body.length);
      append(bytes, body);
    });
    return Uint8Array.from(out);
  }

  /** The custom section of the branch-hinting proposal; it comes before the code. */
  private branchHints(out: number[]): void {
    const hinted = this.functions.flatMap(({ code }, i) =>
      code === null || code.hints.length === 0 ? [] : [{ code, index: this.importedFunctions + i }],
    );
    if (hinted.length === 0) return;
    const bytes: number[] = [];
    pushName(bytes, "metadata.code.branch_hint");
    pushUnsigned(bytes, hinted.length);
    for (const { code, index } of hinted) {
      // Offsets count from the start of the function's declaration of locals.
      const shift = localDeclarations(code).length;
      pushUnsigned(bytes, index);
      pushUnsigned(bytes, code.hints.length);
      for (const { offset, taken } of code.hints) {
        pushUnsigned(bytes, offset + shift);
        bytes.push(1, taken ? 1 : 0);
      }
    }
    out.push(Section.Custom);
    pushUnsigned(out, bytes.length);
    append(out, bytes);
  }
}

function localDeclarations(code: CodeBuilder): number[] {
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of code.locals) {
    const last = runs.at(-1);
    if (last !== undefined && last.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const body: number[] = [];
  pushUnsigned(body, runs.length);
  for (const run of runs) {
    pushUnsigned(body, run.count);
    body.push(VALUE_TYPE_CODE[run.type]);
  }
  return body;
}

function functionBody(code: CodeBuilder): number[] {
  const body = localDeclarations(code);
  append(body, code.bytes);
  body.push(0x0b);
  return body;
}

function section<T>(
  out: number[],
  id: Section,
  entries: readonly T[],
  write: (bytes: number[], entry: T) => void,
): void {
  if (entries.length === 0) return;
  const bytes: number[] = [];
  pushUnsigned(bytes, entries.length);
  for (const entry of entries) write(bytes, entry);
  out.push(id);
  pushUnsigned(out, bytes.length);
  append(out, bytes);
}

function pushTypes(bytes: number[], types: readonly ValueType[]): void {
  pushUnsigned(bytes, types.length);
  for (const type of types) bytes.push(VALUE_TYPE_CODE[type]);
}

function pushName(bytes: number[], name: string): void {
  pushUnsigned(bytes, name.length);
  for (let i = 0; i < name.length; i++) bytes.push(name.charCodeAt(i) & 0x7f);
}

function append(to: number[], from: readonly number[]): void {
  for (const byte of from) to.push(byte);
}
