// SPDX-License-Identifier: Apache-2.0
import type { KernelModule } from "../kernel/kernel-package.js";
import type { FileContent } from "../tree/content.js";
import type { FileTree } from "../tree/file-tree.js";
import { busyboxTree, initHead, insmodLines } from "./busybox-initramfs.js";

/** The script on a new disk that configures its packages; it removes itself when it is done. */
export const FIRST_BOOT = "/usr/lib/isola/first-boot";

/**
 * A tree that finds the root disk named by `root=` (a device, `LABEL=` or `UUID=`; `/dev/vda` without it), mounts it,
 * and hands over to its init. A disk that has never been booted runs its first-boot script instead, which ends in init.
 */
export function rootInitramfsTree(busybox: FileContent, modules: readonly KernelModule[]): FileTree {
  const tree = busyboxTree(busybox, modules);
  tree.directory("newroot");
  tree.file(
    "init",
    `${initHead()}mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs /run
${insmodLines(modules)}
root=/dev/vda init=/sbin/init mode=rw flags= type=ext4
read -r cmdline < /proc/cmdline
for word in $cmdline; do
  case "$word" in
    root=*) root="\${word#root=}" ;;
    init=*) init="\${word#init=}" ;;
    rootfstype=*) type="\${word#rootfstype=}" ;;
    rootflags=*) flags=",\${word#rootflags=}" ;;
    ro) mode=ro ;;
    rw) mode=rw ;;
  esac
done

find_root() {
  case "$root" in
    LABEL=*|UUID=*) device="$(findfs "$root" 2>/dev/null)" ;;
    *) device="$root" ;;
  esac
  [ -b "$device" ]
}

tries=0
until find_root; do
  tries=$((tries + 1))
  if [ "$tries" -ge 100 ]; then
    echo "Isola: no root disk $root; here is a shell, and its end starts over" >&2
    ls -l /dev/vd* /dev/sd* >&2 2>/dev/null
    setsid cttyhack sh
    tries=0
  fi
  sleep 0.1
done
until mount -t "$type" -o "$mode$flags" "$device" /newroot; do
  echo "Isola: cannot mount $device; here is a shell, and its end tries again" >&2
  setsid cttyhack sh
done
for place in dev proc sys run; do mount --move "/$place" "/newroot/$place"; done
if [ -x "/newroot${FIRST_BOOT}" ] && [ "$mode" = rw ] && [ "$init" = /sbin/init ]; then
  init=${FIRST_BOOT}
fi
exec switch_root /newroot "$init"
`,
    { mode: 0o755 },
  );
  return tree;
}
