// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { featuresOf, targetDescription } from "./architecture.js";
import { FakeTarget } from "./fake-target.fixture.js";
import { bytesOfText, hexOf, textOfBytes } from "./hex.js";
import { encodePacket, MAX_PACKET } from "./packet.js";
import { GdbStub } from "./stub.js";

let target: FakeTarget;
let stub: GdbStub;
let sent = "";
let done = false;
beforeEach(() => {
  target = new FakeTarget();
  sent = "";
  done = false;
  stub = make(target);
});

function make(of: FakeTarget, architecture: "x86-64" | "i386" = "x86-64"): GdbStub {
  return new GdbStub(of, {
    architecture,
    send: (bytes) => (sent += textOfBytes(bytes)),
    onDone: () => (done = true),
  });
}

/** Bodies of the packets that were sent. */
function answers(): string[] {
  const bodies = [...sent.matchAll(/\$((?:[^#}]|\}[^])*)#[0-9a-f]{2}/g)].map(([, body = ""]) =>
    body.replace(/\}([^])/g, (_, char: string) => String.fromCharCode(char.charCodeAt(0) ^ 0x20)),
  );
  sent = "";
  return bodies;
}

function ask(body: string): string[] {
  stub.receive(encodePacket(body));
  return answers();
}

describe("packets", () => {
  it("are acknowledged until GDB does without", () => {
    stub.receive(bytesOfText("$?#3f"));
    expect(sent).toMatch(/^\+\$T05thread:1;.*#[0-9a-f]{2}$/);
    sent = "";
    stub.receive(bytesOfText("$?#00"));
    expect(sent).toBe("-");
    sent = "";
    ask("QStartNoAckMode");
    stub.receive(bytesOfText("$?#3f"));
    expect(sent).toMatch(/^\$T05/);
  });

  it("are sent again on request", () => {
    ask("qC");
    stub.receive(bytesOfText("-"));
    expect(answers()).toEqual(["QC1"]);
  });

  it("that are too long are refused", () => {
    expect(ask("m".repeat(MAX_PACKET + 1))).toEqual(["E16"]);
    expect(ask("qC")).toEqual(["QC1"]);
  });

  it("that nobody knows are answered by an empty one", () => {
    for (const body of ["", "!", "R00", "vMustReplyEmpty", "vAttach;1", "qTStatus", "QNonStop:1", "b", "Z7,0,1"])
      expect(ask(body)).toEqual([""]);
  });
});

describe("memory", () => {
  it("is read and written in digits and in bytes", () => {
    expect(ask("m10,4")).toEqual(["10111213"]);
    expect(ask("x22,3")).toEqual(['b"#$']);
    expect(ask("M10,2:aabb")).toEqual(["OK"]);
    expect(ask("X12,4:#$*}")).toEqual(["OK"]);
    expect(ask("m10,6")).toEqual(["aabb23242a7d"]);
    expect(ask("X0,0:")).toEqual(["OK"]);
  });

  it("ends where it ends", () => {
    expect(ask("mffe,8")).toEqual(["feff"]);
    expect(ask("m1000,1")).toEqual(["E0e"]);
    expect(ask("Mfff,2:0000")).toEqual(["E0e"]);
    expect(ask("mffffffffffffffff,ffffffff")).toEqual(["E0e"]);
  });

  it("is physical on request", () => {
    expect(ask("Qqemu.PhyMemMode:1")).toEqual(["OK"]);
    expect(ask("m1,1")).toEqual(["fe"]);
    expect(ask("qqemu.PhyMemMode")).toEqual(["1"]);
  });

  it("is not misread", () => {
    for (const body of [
      "m",
      "m0",
      "m0,",
      "m,1",
      "mx,1",
      "m0,1,2",
      "M0,1",
      "M0,1:0",
      "M0,2:00",
      "X0,1:",
      "m11112222333344445,1",
    ])
      expect(ask(body)).toEqual(["E16"]);
  });
});

describe("registers", () => {
  it("have the numbers of the description", () => {
    const names = featuresOf("x86-64").flatMap(({ registers }) => registers.map(({ name }) => name));
    expect(names.slice(0, 18)).toEqual(
      "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags".split(" "),
    );
    target.registers[0]?.get("rip")?.set([1, 2, 3]);
    expect(ask("p10")).toEqual(["0102030000000000"]);
    expect(ask("P10=ff00000000000000")).toEqual(["OK"]);
    expect(target.registers[0]?.get("rip")?.[0]).toBe(0xff);
    expect(ask("g")[0]?.slice(2 * 128, 2 * 136)).toBe("ff00000000000000");
    const all = featuresOf("x86-64").flatMap(({ registers }) => registers.map(({ bits }) => bits / 4));
    expect(all.reduce((sum, digits) => sum + digits)).toBe(ask("g")[0]?.length);
  });

  it("are written together where they differ", () => {
    const [all = ""] = ask("g");
    expect(ask(`G${"12".repeat(8)}${all.slice(16)}`)).toEqual(["OK"]);
    expect(ask("p0")).toEqual(["12".repeat(8)]);
    expect(ask(`G${all.slice(2)}`)).toEqual(["E16"]);
    expect(ask("pffff")).toEqual(["E16"]);
    expect(ask("P0=00")).toEqual(["E16"]);
    expect(ask("P12=01000000")).toEqual(["E16"]);
  });

  it("of an i386 are the lower halves", () => {
    stub = make(target, "i386");
    target.registers[0]?.get("rcx")?.set([1, 2, 3, 4, 5]);
    expect(ask("p1")).toEqual(["01020304"]);
    expect(ask("P1=0a0b0c0d")).toEqual(["OK"]);
    expect([...(target.registers[0]?.get("rcx") ?? [])]).toEqual([10, 11, 12, 13, 0, 0, 0, 0]);
  });

  it("are those of the thread chosen", () => {
    target.registers[1]?.get("rax")?.set([7]);
    expect(ask("Hg2")).toEqual(["OK"]);
    expect(ask("p0")[0]).toMatch(/^07/);
    expect(ask("Hg3")).toEqual(["E16"]);
    expect(ask("T2")).toEqual(["OK"]);
    expect(ask("T3")).toEqual(["E16"]);
  });
});

describe("queries", () => {
  it("hand the description over in parts", () => {
    let text = "";
    for (;;) {
      const [part = ""] = ask(`qXfer:features:read:target.xml:${text.length.toString(16)},100`);
      text += part.slice(1);
      if (part.startsWith("l")) break;
    }
    expect(text).toBe(targetDescription("x86-64"));
    expect(ask("qXfer:threads:read::0,1000")[0]).toContain('name="vCPU 1"');
    expect(ask("qXfer:features:read:other.xml:0,10")).toEqual(["E00"]);
    expect(ask("qXfer:features:read:target.xml:0")).toEqual(["E16"]);
    expect(ask("qXfer:auxv:read::0,10")).toEqual([""]);
  });

  it("list vCPUs as threads", () => {
    expect(ask("qfThreadInfo")).toEqual(["m1,2"]);
    expect(ask("qsThreadInfo")).toEqual(["l"]);
    expect(ask("qThreadExtraInfo,2")).toEqual([hexOf(bytesOfText("vCPU 1: running"))]);
  });

  it("run monitor commands", () => {
    const monitor = (text: string) => ask(`qRcmd,${hexOf(bytesOfText(text))}`);
    expect(monitor("info registers")).toEqual([`O${hexOf(bytesOfText("registers of 0\n"))}`, "OK"]);
    expect(monitor("info mem").length).toBe(4);
    monitor("reset");
    monitor("system_powerdown");
    expect(target.log.slice(1)).toEqual(["reset", "power button"]);
    expect(ask("qRcmd,zz")).toEqual(["E16"]);
  });
});

describe("running", () => {
  it("stops for reasons that GDB understands", () => {
    ask("qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+");
    expect(ask("vCont;c")).toEqual([]);
    target.stop({ kind: "stop", vcpu: 1, stop: { kind: "breakpoint", hardware: false } });
    expect(answers()[0]).toMatch(/^T05thread:2;swbreak:;10:/);
    expect(ask("c")).toEqual([]);
    target.stop({ kind: "stop", vcpu: 0, stop: { kind: "watchpoint", access: "read", address: 0xabcn } });
    expect(answers()[0]).toMatch(/^T05thread:1;rwatch:abc;/);
    ask("s");
    stub.receive(Uint8Array.of(3));
    expect(answers()[0]).toMatch(/^T02/);
    ask("vCont;c:2");
    expect(target.plan).toEqual([{ kind: "hold" }, { kind: "continue" }]);
    target.stop({ kind: "triple-fault", vcpu: 0 });
    expect(answers()[0]).toMatch(/^T0b/);
    ask("c");
    target.stop({ kind: "ended", status: 139 });
    expect(answers()).toEqual(["W8b"]);
    expect(ask("c")).toEqual(["W8b"]);
    expect(ask("?")).toEqual(["W8b"]);
  });

  it("steps one vCPU, through a range if asked to", () => {
    ask("vCont;s:1;c");
    expect(target.plan).toEqual([{ kind: "step" }, { kind: "continue" }]);
    target.stop({ kind: "stop", vcpu: 0, stop: { kind: "step" } });
    ask("vCont;r1000,1010:2");
    expect(target.plan).toEqual([{ kind: "hold" }, { kind: "range", from: 0x1000n, to: 0x1010n }]);
    target.stop({ kind: "stop", vcpu: 1, stop: { kind: "step" } });
    ask("Hc1");
    answers();
    ask("s1234");
    expect(target.plan).toEqual([{ kind: "step" }, { kind: "hold" }]);
    expect([...(target.registers[1]?.get("rip") ?? [])].slice(0, 2)).toEqual([0x34, 0x12]);
  });

  it("refuses what makes no sense", () => {
    for (const body of ["vCont;", "vCont;q", "vCont;s:9", "vCont;r1", "vCont;c:x", "cxyz", "Hx1"])
      expect(ask(body), body).toEqual(["E16"]);
    expect(target.state).toBe("stopped");
    ask("c");
    expect(ask("c")).toEqual(["E10"]);
  });

  it("knows breakpoints and watchpoints of all kinds", () => {
    for (const type of [0, 1, 2, 3, 4]) expect(ask(`Z${type},1000,4`)).toEqual(["OK"]);
    expect(target.points).toHaveLength(5);
    for (const type of [0, 1, 2, 3, 4]) expect(ask(`z${type},1000,4`)).toEqual(["OK"]);
    expect(target.points).toHaveLength(0);
    expect(ask("Z0,1000,1;X1,ff")).toEqual(["OK"]);
    for (const body of ["Z0", "Z0,zz,1", "Z2,1000"]) expect(ask(body)).toEqual(["E16"]);
  });

  it("goes on when GDB detaches or its connection breaks", () => {
    expect(ask("D")).toEqual(["OK"]);
    expect([target.log, done]).toEqual([["interrupt", "detach"], true]);
    stub.close();
    expect(ask("?")).toEqual([]);
    const other = new FakeTarget();
    make(other).close();
    expect(other.log).toEqual(["interrupt", "detach"]);
  });

  it("ends when GDB kills", () => {
    expect(ask("vKill;1")).toEqual(["OK"]);
    expect(target.log).toEqual(["interrupt", "kill", "detach"]);
  });
});

describe("whatever comes over the connection", () => {
  const letters = "?gGpPmMxXZzcsCSHTDkvqQ!";
  const piece = fc.oneof(
    fc.constantFrom(...letters, ",", ":", ";", "=", "-1", "0", "1", "fff", "10", "ffffffffffffffff", "vCont", "qRcmd,"),
    fc.constantFrom("qXfer:features:read:target.xml:", "qThreadExtraInfo,", "Qqemu.PhyMemMode:", "vCont;", "OK"),
    fc.string({ maxLength: 6 }),
  );
  const packet = fc.array(piece, { maxLength: 8 }).map((parts) => encodePacket(parts.join("")));
  const noise = fc.uint8Array({ maxLength: 40 });

  it("nothing is thrown, and every whole packet gets an answer or a stop", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: packet }, noise), { maxLength: 40 }), (messages) => {
        target = new FakeTarget();
        sent = "";
        stub = make(target);
        for (const message of messages) {
          stub.receive(message);
          if (target.state === "running") target.stop({ kind: "stop", vcpu: 1, stop: { kind: "step" } });
        }
        stub.close();
        expect(target.log.filter((entry) => entry === "detach").length).toBe(1);
      }),
      { numRuns: 2000 },
    );
  });
});
