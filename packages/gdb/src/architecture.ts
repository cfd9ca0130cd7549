// SPDX-License-Identifier: Apache-2.0
// Which registers GDB is told of, in which order ("Debugging with GDB", appendix G.5.5, "x86 Features").

/** The kinds of program that GDB debugs: it cannot change its mind during a session. */
export type Architecture = "x86-64" | "i386";

export interface RegisterSpec {
  /** As GDB calls it. */
  readonly name: string;
  /** As the machine calls it. */
  readonly source: string;
  readonly bits: number;
  readonly type: string;
  /** Section of GDB's `info registers`. */
  readonly group?: string;
}

export interface Feature {
  readonly name: string;
  /** Definitions of types, as XML. */
  readonly types: string;
  readonly registers: readonly RegisterSpec[];
}

const GENERAL64 = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
const GENERAL32 = "ax cx dx bx sp bp si di".split(" ");
const SEGMENTS = "cs ss ds es fs gs".split(" ");
const X87 = "fctrl fstat ftag fiseg fioff foseg fooff fop".split(" ");

/** A bit, or bits from the first to the last. */
type FlagField = readonly [start: number, name: string, end?: number];

const EFLAGS: readonly FlagField[] = [
  [0, "CF"],
  [1, ""],
  [2, "PF"],
  [4, "AF"],
  [6, "ZF"],
  [7, "SF"],
  [8, "TF"],
  [9, "IF"],
  [10, "DF"],
  [11, "OF"],
  [12, "IOPL", 13],
  [14, "NT"],
  [16, "RF"],
  [17, "VM"],
  [18, "AC"],
  [19, "VIF"],
  [20, "VIP"],
  [21, "ID"],
];
const MXCSR = "IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM".split(" ").map((name, bit) => [bit, name] as const);
const CR0 = [
  [0, "PE"],
  [1, "MP"],
  [2, "EM"],
  [3, "TS"],
  [4, "ET"],
  [5, "NE"],
  [16, "WP"],
  [18, "AM"],
  [29, "NW"],
  [30, "CD"],
  [31, "PG"],
] as const;
const CR4 = [
  ..."VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP".split(" ").map((name, bit) => [bit, name] as const),
  [16, "FSGSBASE"],
  [17, "PCIDE"],
  [18, "OSXSAVE"],
  [20, "SMEP"],
  [21, "SMAP"],
] as const;
const EFER = [
  [0, "SCE"],
  [8, "LME"],
  [10, "LMA"],
  [11, "NXE"],
] as const;

function flags(id: string, size: number, fields: readonly FlagField[]): string {
  const lines = fields.map(([start, name, end = start]) => `<field name="${name}" start="${start}" end="${end}"/>`);
  return `<flags id="${id}" size="${size}">${lines.join("")}</flags>`;
}

const VECTORS: readonly (readonly [id: string, type: string, count: number])[] = [
  ["v4f", "ieee_single", 4],
  ["v2d", "ieee_double", 2],
  ["v16i8", "int8", 16],
  ["v8i16", "int16", 8],
  ["v4i32", "int32", 4],
  ["v2i64", "int64", 2],
];
const VECTOR_FIELDS = ["v4_float", "v2_double", "v16_int8", "v8_int16", "v4_int32", "v2_int64"];

function vectorTypes(): string {
  const parts = VECTORS.map(([id, type, count]) => `<vector id="${id}" type="${type}" count="${count}"/>`);
  const fields = VECTOR_FIELDS.map((name, i) => `<field name="${name}" type="${VECTORS[i]?.[0] ?? ""}"/>`);
  return `${parts.join("")}<union id="vec128">${fields.join("")}<field name="uint128" type="uint128"/></union>`;
}

function plain(name: string, bits: number, type = `int${bits}`, group?: string): RegisterSpec {
  return { name, source: name, bits, type, ...(group !== undefined && { group }) };
}

function pointerType(name: string): string | undefined {
  if (/^.?[sb]p$/.test(name)) return "data_ptr";
  return undefined;
}

function core(wide: boolean): Feature {
  const general = wide
    ? GENERAL64.map((name) => plain(name, 64, pointerType(name)))
    : GENERAL32.map((name) => ({ ...plain(`e${name}`, 32, pointerType(name)), source: `r${name}` }));
  const ip = wide ? plain("rip", 64, "code_ptr") : { ...plain("eip", 32, "code_ptr"), source: "rip" };
  return {
    name: "org.gnu.gdb.i386.core",
    types: flags("i386_eflags", 4, EFLAGS),
    registers: [
      ...general,
      ip,
      plain("eflags", 32, "i386_eflags"),
      ...SEGMENTS.map((name) => plain(name, 32)),
      ...Array.from({ length: 8 }, (_, i) => plain(`st${i}`, 80, "i387_ext")),
      ...X87.map((name) => plain(name, 32, "int", "float")),
    ],
  };
}

function vectors(wide: boolean): Feature[] {
  const count = wide ? 16 : 8;
  return [
    {
      name: "org.gnu.gdb.i386.sse",
      types: vectorTypes() + flags("i386_mxcsr", 4, MXCSR),
      registers: [
        ...Array.from({ length: count }, (_, i) => plain(`xmm${i}`, 128, "vec128")),
        plain("mxcsr", 32, "i386_mxcsr", "vector"),
      ],
    },
    {
      name: "org.gnu.gdb.i386.avx",
      types: "",
      registers: Array.from({ length: count }, (_, i) => plain(`ymm${i}h`, 128, "uint128")),
    },
  ];
}

/** Control registers, which GDB knows nothing of but shows. */
function system(wide: boolean): Feature {
  const bits = wide ? 64 : 32;
  const size = bits / 8;
  return {
    name: "org.isola.i386.system",
    types: flags("cr0_flags", size, CR0) + flags("cr4_flags", size, CR4) + flags("efer_flags", size, EFER),
    registers: [
      ...(wide ? [plain("k_gs_base", 64, "int64", "system")] : ["fs_base", "gs_base"].map((name) => plain(name, 32))),
      plain("cr0", bits, "cr0_flags", "system"),
      plain("cr2", bits, `int${bits}`, "system"),
      plain("cr3", bits, `int${bits}`, "system"),
      plain("cr4", bits, "cr4_flags", "system"),
      plain("efer", bits, "efer_flags", "system"),
    ],
  };
}

/** Everything that GDB is told about the processor. */
export function featuresOf(architecture: Architecture): readonly Feature[] {
  const wide = architecture === "x86-64";
  const bases = ["fs_base", "gs_base"].map((name) => plain(name, 64));
  const segments: Feature = { name: "org.gnu.gdb.i386.segments", types: "", registers: bases };
  return [core(wide), ...vectors(wide), ...(wide ? [segments] : []), system(wide)];
}

/** The target description that `qXfer:features:read:target.xml` reads. */
export function targetDescription(architecture: Architecture): string {
  const features = featuresOf(architecture).map(({ name, types, registers }) => {
    const lines = registers.map(
      ({ name: register, bits, type, group }) =>
        `<reg name="${register}" bitsize="${bits}" type="${type}"${group === undefined ? "" : ` group="${group}"`}/>`,
    );
    return `<feature name="${name}">${types}${lines.join("\n")}</feature>\n`;
  });
  const name = architecture === "x86-64" ? "i386:x86-64" : "i386";
  return (
    `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">\n` +
    `<target version="1.0"><architecture>${name}</architecture>\n${features.join("")}</target>\n`
  );
}
