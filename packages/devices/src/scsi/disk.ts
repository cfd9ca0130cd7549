// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { senseData } from "../ide/packet-answers.js";
import { SenseCode, SenseKey } from "../ide/packet-registers.js";
import { capacity10, capacity16, formatCapacities, inquiry, modeSense, vpdPage } from "./answers.js";
import { BLOCK_SIZE, READ_CAPACITY_16, Scsi } from "./registers.js";

/** What a command asks of whoever moves its data. Offsets and lengths are bytes of the medium. */
export type ScsiWork =
  | { readonly kind: "nothing" }
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  | { readonly kind: "read"; readonly offset: number; readonly length: number }
  | { readonly kind: "write"; readonly offset: number; readonly length: number }
  /** Data that comes with the command and changes nothing. */
  | { readonly kind: "ignore"; readonly length: number }
  | { readonly kind: "flush" }
  /** The sense data say why. */
  | { readonly kind: "failed" };

export interface ScsiSense {
  key: number;
  code: number;
}

const NOTHING: ScsiWork = { kind: "nothing" };

/** Carries out the commands of a SCSI direct-access device (SBC-3), short of moving data. */
export class ScsiDisk {
  sense: ScsiSense = { key: SenseKey.None, code: SenseCode.None };

  constructor(
    private readonly store: BlockStore,
    private readonly serial: string,
  ) {}

  reset(): void {
    this.sense = { key: SenseKey.None, code: SenseCode.None };
  }

  /** The store could not do its part of a command. */
  storeFailed(writing: boolean): void {
    this.fail(SenseKey.MediumError, writing ? SenseCode.WriteError : SenseCode.UnrecoveredRead);
  }

  /**
   * Begins a command.
   * @param cdb 16 bytes, of which the opcode tells how many count
   * @param lun the unit that is addressed; there is only 0
   */
  execute(cdb: Uint8Array, lun: number): ScsiWork {
    const opcode = cdb[0];
    if (opcode === Scsi.RequestSense) {
      const { key, code } = this.sense;
      this.reset();
      return cut(senseData(key, code), cdb[4]);
    }
    this.reset();
    // A unit that does not exist can still be asked what it is (SPC-3, 6.4.1).
    if (lun !== 0 && opcode !== Scsi.Inquiry) return this.fail(SenseKey.IllegalRequest, SenseCode.NoSuchUnit);
    const view = new DataView(cdb.buffer, cdb.byteOffset, cdb.byteLength);
    return this.mediumCommand(opcode, view) ?? this.otherCommand(opcode, cdb, view, lun);
  }

  private get blocks(): number {
    return Math.floor(this.store.size / BLOCK_SIZE);
  }

  /** Commands that name blocks; null for others. */
  private mediumCommand(opcode: number, view: DataView): ScsiWork | null {
    switch (opcode) {
      case Scsi.Read6:
      case Scsi.Write6: {
        const block = view.getUint32(0) & 0x1f_ffff;
        return this.transfer(block, view.getUint8(4) || 256, opcode === Scsi.Write6);
      }
      case Scsi.Read10:
        return this.transfer(view.getUint32(2), view.getUint16(7), false);
      case Scsi.Write10:
      case Scsi.WriteVerify10:
        return this.transfer(view.getUint32(2), view.getUint16(7), true);
      case Scsi.Read12:
      case Scsi.Write12:
        return this.transfer(view.getUint32(2), view.getUint32(6), opcode === Scsi.Write12);
      case Scsi.Read16:
      case Scsi.Write16:
        return this.transfer(block64(view), view.getUint32(10), opcode === Scsi.Write16);
      case Scsi.Verify10:
        return this.verify(view.getUint32(2), view.getUint16(7), view.getUint8(1));
      case Scsi.Verify16:
        return this.verify(block64(view), view.getUint32(10), view.getUint8(1));
      case Scsi.Seek10:
        return this.verify(view.getUint32(2), 0, 0);
      default:
        return null;
    }
  }

  private otherCommand(opcode: number, cdb: Uint8Array, view: DataView, lun: number): ScsiWork {
    switch (opcode) {
      case Scsi.TestUnitReady:
      case Scsi.StartStop:
      case Scsi.SendDiagnostic:
      case Scsi.PreventRemoval:
        return NOTHING;
      case Scsi.Inquiry:
        return this.inquiry(cdb, view.getUint16(3), lun);
      case Scsi.ReadCapacity10:
        return cut(capacity10(this.blocks), 8);
      case Scsi.ReadFormatCapacities:
        return cut(formatCapacities(this.blocks), view.getUint16(7));
      case Scsi.ServiceActionIn16:
        if ((cdb[1] & 0x1f) !== READ_CAPACITY_16) return this.invalidField();
        return cut(capacity16(this.blocks), view.getUint32(10));
      case Scsi.ModeSense6:
        return this.modeSense(cdb, false, cdb[4]);
      case Scsi.ModeSense10:
        return this.modeSense(cdb, true, view.getUint16(7));
      // Nothing of the pages can be changed, and parameters that say what is so already are welcome.
      case Scsi.ModeSelect6:
        return { kind: "ignore", length: cdb[4] };
      case Scsi.ModeSelect10:
        return { kind: "ignore", length: view.getUint16(7) };
      case Scsi.SynchronizeCache10:
      case Scsi.SynchronizeCache16:
        return { kind: "flush" };
      case Scsi.ReportLuns:
        // One unit, number 0.
        return cut(Uint8Array.from([0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), view.getUint32(6));
      default:
        return this.fail(SenseKey.IllegalRequest, SenseCode.InvalidCommand);
    }
  }

  private transfer(block: number, count: number, write: boolean): ScsiWork {
    if (!this.onMedium(block, count)) return this.fail(SenseKey.IllegalRequest, SenseCode.OutOfRange);
    if (write && this.store.readOnly) return this.fail(SenseKey.DataProtect, SenseCode.WriteProtected);
    if (count === 0) return NOTHING;
    return { kind: write ? "write" : "read", offset: block * BLOCK_SIZE, length: count * BLOCK_SIZE };
  }

  /** Blocks that can be named can be read; data to compare with are not taken. */
  private verify(block: number, count: number, flags: number): ScsiWork {
    if ((flags & 0x06) !== 0) return this.invalidField();
    if (!this.onMedium(block, count)) return this.fail(SenseKey.IllegalRequest, SenseCode.OutOfRange);
    return NOTHING;
  }

  /** Wild 64-bit numbers lose precision but never pass. */
  private onMedium(block: number, count: number): boolean {
    return block + count <= this.blocks && block < this.blocks;
  }

  private inquiry(cdb: Uint8Array, allocated: number, lun: number): ScsiWork {
    if ((cdb[1] & 1) === 0) return cdb[2] === 0 ? cut(inquiry(lun === 0), allocated) : this.invalidField();
    const page = vpdPage(cdb[2], this.serial);
    return page === null ? this.invalidField() : cut(page, allocated);
  }

  private modeSense(cdb: Uint8Array, long: boolean, allocated: number): ScsiWork {
    const answer = modeSense(cdb[2] & 0x3f, long, (cdb[1] & 8) === 0, this.blocks, this.store.readOnly);
    return answer === null ? this.invalidField() : cut(answer, allocated);
  }

  private invalidField(): ScsiWork {
    return this.fail(SenseKey.IllegalRequest, SenseCode.InvalidField);
  }

  private fail(key: SenseKey, code: SenseCode): ScsiWork {
    this.sense = { key, code };
    return { kind: "failed" };
  }
}

function block64(view: DataView): number {
  return view.getUint32(2) * 2 ** 32 + view.getUint32(6);
}

/** As much of an answer as the initiator has allocated space for. */
function cut(bytes: Uint8Array, allocated: number): ScsiWork {
  const answer = bytes.subarray(0, Math.min(bytes.length, allocated));
  return answer.length === 0 ? NOTHING : { kind: "answer", bytes: answer };
}
