// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** As whom a program runs. */
export interface GuestUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
  readonly shell: string;
}

/** Who programs run as where nothing else is said; nothing has to be looked up for that. */
export const ROOT: GuestUser = { name: "root", uid: 0, gid: 0, groups: [0], home: "/root", shell: "/bin/sh" };

const MAX_ID = 0xffff_fffe;

function id(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID ? Number(text) : null;
}

const rowsOf = (text: string) => text.split("\n").map((line) => line.split(":"));

/**
 * The user that `wanted` means, a name or a number, with a group behind a colon if it is to be another: from the guest's
 * passwd(5) and group(5). Throws OperatorError `no-such-user`.
 */
export function findUser(wanted: string, passwd: string, group: string): GuestUser {
  const [who = "", otherGroup] = wanted.split(":", 2);
  const number = id(who);
  const row = rowsOf(passwd).find(
    (fields) => fields.length >= 7 && (fields[0] === who || (number !== null && id(fields[2]) === number)),
  );
  const uid = id(row?.[2]) ?? number;
  if (uid === null) throw new OperatorError("no-such-user", `the guest has no user "${who}"`);
  const name = row?.[0] ?? who;
  const groups = rowsOf(group).filter((fields) => fields.length >= 4);
  let gid = id(row?.[3]) ?? uid;
  if (otherGroup !== undefined) {
    const found = id(otherGroup) ?? id(groups.find((fields) => fields[0] === otherGroup)?.[2]);
    if (found === null) throw new OperatorError("no-such-user", `the guest has no group "${otherGroup}"`);
    gid = found;
  }
  const more = groups.filter((fields) => (fields[3] ?? "").split(",").includes(name)).map((fields) => id(fields[2]));
  return {
    name,
    uid,
    gid,
    groups: [...new Set([gid, ...more.filter((one) => one !== null)])],
    home: row?.[5] || "/",
    shell: row?.[6] || "/bin/sh",
  };
}
