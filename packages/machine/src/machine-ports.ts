// SPDX-License-Identifier: Apache-2.0
import type { EngineModules } from "@isola/isa-x86";
import type {
  AudioSink,
  BlockStore,
  ByteSink,
  Clock,
  CodeLog,
  Entropy,
  FileTree,
  Log,
  MemoryReclaimer,
  NetLink,
  SampleSink,
  TraceSink,
  VsockListener,
  WasmHost,
} from "@isola/ports";

/** Compiled guest code that outlives the machine. */
export interface TranslationCache {
  /**
   * Begins with what {@link Machine.saveTranslations} gave when an earlier machine of the same version of the engine ended,
   * or is empty.
   */
  readonly code: CodeLog;
  /** Bytes that may be kept. */
  readonly maxBytes: number;
}

/** The live handles that a machine gets from its host; the configuration refers to files and stores by name. */
export interface MachinePorts {
  readonly wasm: WasmHost;
  /** The engine's own modules, as the build makes them. */
  readonly modules: EngineModules;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Contents of kernels, RAM disks and modules. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Disks; the machine owns them and closes them at its end. */
  readonly stores: Readonly<Record<string, BlockStore>>;
  /** Folders that are shared with the guest; the machine owns them and closes them at its end. */
  readonly trees?: Readonly<Record<string, FileTree>>;
  /** Networks that network cards are plugged into; each may be named by one card. */
  readonly links?: Readonly<Record<string, NetLink>>;
  /** Answers programs of the guest that connect to the host over vsock; without it, they are refused. */
  readonly vsock?: VsockListener;
  /** What the serial ports transmit, in order; ports without a sink transmit to nowhere. */
  readonly serial: readonly ByteSink[];
  /** Takes what the parallel port of a `pc` prints; without it, that goes nowhere. */
  readonly printer?: ByteSink;
  /** Takes the sound of a `pc`; without it, nobody hears the machine. */
  readonly audio?: AudioSink;
  /** Compiled code of earlier machines; without it, none is kept. */
  readonly translations?: TranslationCache;
  /** Takes the log that firmware of a `pc` writes; without it, the log goes nowhere. */
  readonly firmwareLog?: ByteSink;
  /** Gives host memory back that holds zeros again afterwards; without it, the bytes are only cleared. */
  readonly reclaim?: MemoryReclaimer;
  /** Takes what happens in the machine; without it, nothing is traced. */
  readonly trace?: TraceSink;
  /** Takes samples of what the guest executes; without it, none are taken. */
  readonly profile?: SampleSink;
}
