// SPDX-License-Identifier: Apache-2.0

/** How the figures came about: the end of the report. */
export const METHOD = `
## Method
- All machines get the same kernel, initramfs, command line, disks and one processor; 256 MiB, with Debian 512 MiB.
  \`mitigations=off\` is there because a kernel chooses mitigations by the processor model it sees, and the models differ.
- *Boot to shell* is host time from the start of the monitor's process to the prompt of the guest's shell, *boot to
  login prompt* to the line on the console that begins \`isola login:\`. Nothing else runs but machines of the same round
  that wait at their prompts; where nothing but boots is measured, the other machines are gone.
- Isola keeps compiled code for the next start of the same guest (\`--translation-cache\`). Before the first round it
  boots and does everything once, unmeasured; the machines called *Isola* find what was kept then and in the rounds
  since. *Isola, first start* keeps nothing and finds nothing.
- A workload prints a line before and after its work; the time is host time between the arrivals of the two lines on
  the serial console. The guest's clock is not asked. Each machine runs each workload once a round, on a machine
  booted for that round, so warming up is included. The order of the machines alternates.
- Programs are those of \`debian:12-dev\`, on a disk that is virtio-blk everywhere; what they write is thrown away. The
  lines are printed by \`bench/programs/run.sh\`; preparing a program's files and hashing its results is outside the time.
  \`gcc\` compiles C files of this project, \`gzip\`, \`xz\` and \`git\` work on Python's library, \`aes\`, \`sha256\` and \`rsa\`
  are OpenSSL's with a fixed amount of work. OpenSSL, like the C library, chooses its code by the processor's features,
  so that machines need not execute the same instructions.
- *Disk and network*: a program in the guest (\`bench/io/\`) moves data past the guest's page cache, to and from two
  empty disks of 256 MiB that each machine gets for each boot (virtio-blk, raw and qcow2, QEMU with \`cache=writeback\`),
  in requests of 1 MiB one after the other, or of 4 KiB at random places, one or (\`-16\`) sixteen at a time by Linux's
  asynchronous I/O; and between the guest's virtio-net card and a server on the host's loopback interface, which guests
  reach at the gateway's address (\`-netdev user\`, \`--network user,host-loopback\`): streams over TCP, round trips of one
  byte over TCP and UDP, echoes (\`net-ping\`, which the monitor itself answers). In \`net-tcp-trip-busy\` another process of
  the guest computes all the time. The server's processor time counts for nobody. Each
  transfer goes on for two seconds before it is measured, so that warming up is *not* included here.
- A workload prints a checksum of what it computed, a program a digest of what it made; where machines disagree, the
  row fails. A machine that fails at one row goes on with the others.
- *Peak memory* is the largest resident set of the monitor's process (\`VmHWM\`), guest memory included.
- *By processor time*: the same ratios from the processor time of the monitor's process, all threads, which other
  programs on the host disturb less. *Processor time / time* is the median over all rows: below 100 the host was busy
  with other things, or the monitor waited; above 100 the monitor used a second processor.
- *Translation / processor time* is what a machine that tells (\`isola run --stats=json\`) spent generating and compiling
  code, from its start to its end, against the processor time of its process.
- *This processor* is the same program run on the host itself; for \`syscall\`, \`fork\`, \`page-fault\`, \`ping-pong\` and
  \`file\` that is the host's kernel, so the column says little there. Its checksums must agree too.
- Workloads of AVX2 are measured apart: QEMU shows a processor that has it only when told to, and is slower then in some
  of the other workloads. *absent*: that machine's processor has no AVX2.
- The C library chooses among its string functions by the processor's features, so \`copy\` and \`strings\` need not
  execute the same instructions everywhere.
- *Isola in Chromium* (\`--browser\`) is the same sources in a worker of a page that a server on this host hands out; its
  serial port passes through the page and Playwright. Its processor time and memory are those of all processes of Chromium.
- Sources: \`bench/\`, workloads in \`bench/guest/\`, programs in \`bench/programs/\`.
`;
