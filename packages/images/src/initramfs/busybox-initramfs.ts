// SPDX-License-Identifier: Apache-2.0
import type { KernelModule } from "../kernel/kernel-package.js";
import { AGENT_PATH, type LateParts } from "../guest-agent/image-agent.js";
import { MOUNT_SHARES, MOUNT_SHARES_PATH } from "../guest-agent/mount-shares.js";
import { bytesContent, type FileContent } from "../tree/content.js";
import { FileTree } from "../tree/file-tree.js";

/** What every initramfs here starts from: busybox, its directories, the console and modules in load order. */
export function busyboxTree(busybox: FileContent, modules: readonly KernelModule[]): FileTree {
  const tree = new FileTree();
  for (const path of ["bin", "dev", "proc", "root", "run", "sys"]) tree.directory(path);
  tree.directory("tmp", { mode: 0o1777, uid: 0, gid: 0, mtime: 0 });
  tree.symlink("sbin", "bin");
  tree.directory("usr");
  tree.symlink("usr/bin", "../bin");
  tree.symlink("usr/sbin", "../bin");
  tree.file("bin/busybox", busybox, { mode: 0o755 });
  tree.symlink("bin/sh", "busybox");
  // The kernel opens /dev/console for init before devtmpfs is mounted (major 5, minor 1: devices.txt).
  tree.device("dev/console", "char", 5, 1);
  tree.device("dev/null", "char", 1, 3, { mode: 0o666 });
  for (const module of modules) tree.file(module.path, module.file.content);
  return tree;
}

/** Shell lines that load the modules, in order; a module that the machine has no use for may refuse. */
export function insmodLines(modules: readonly KernelModule[]): string {
  return modules.map(({ path }) => `insmod /${path} || echo "cannot load ${path}" >&2\n`).join("");
}

const MOUNT_LINES = `mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
`;

/** The head of an init script: a path of applets and the kernel's file systems. */
export function initHead(): string {
  return `#!/bin/busybox sh
export PATH=/bin HOME=/root TERM=linux
/bin/busybox --install -s /bin
${MOUNT_LINES}`;
}

/** Loads what shared folders need if the host shares some, and mounts them. */
function shareLines({ shareModules }: LateParts): string {
  if (shareModules.length === 0) return "";
  return `read -r cmdline < /proc/cmdline
case "$cmdline" in
  *isola.share=*)
${insmodLines(shareModules)}${MOUNT_SHARES_PATH} ;;
esac
`;
}

const DEVICE_LINKS = `ln -s /proc/self/fd /dev/fd
for link in 0:stdin 1:stdout 2:stderr; do ln -s "fd/\${link%:*}" "/dev/\${link#*:}"; done
`;

/** What is done while the shell is there already: links that udev makes elsewhere, and the agent. */
function backgroundLines({ agent, agentModules }: LateParts): string {
  const start = agent === null || agentModules.length === 0 ? "" : `${insmodLines(agentModules)}exec ${AGENT_PATH}\n`;
  return `{
${DEVICE_LINKS}${start}} < /dev/null &
`;
}

/**
 * A tree that boots to a root shell on the console and needs no disk: the smallest Linux guest. The end of the shell
 * stops the machine.
 */
export function busyboxInitramfsTree(
  busybox: FileContent,
  modules: readonly KernelModule[],
  late: LateParts,
): FileTree {
  const tree = busyboxTree(busybox, modules);
  for (const { path, file } of [...late.agentModules, ...late.shareModules]) tree.file(path, file.content);
  if (late.agent !== null) tree.file(AGENT_PATH.slice(1), bytesContent(late.agent), { mode: 0o755 });
  tree.file(MOUNT_SHARES_PATH.slice(1), MOUNT_SHARES, { mode: 0o755 });
  tree.file(
    "init",
    `${initHead()}${insmodLines(modules)}mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
${shareLines(late)}hostname isola
read -r up idle < /proc/uptime
echo "Isola: busybox shell on $(uname -rm), up $up s"
cd /root
${backgroundLines(late)}setsid cttyhack sh
poweroff -f
`,
    { mode: 0o755 },
  );
  return tree;
}
