// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { PackageServer } from "./catalogue/package-server.js";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { ensureEnds, GuestShell } from "./guest-shell.js";
import { IsolaProcess } from "./isola-process.js";
import { orSkip } from "./packages.js";
import { pullOrSkip } from "./pull.js";

const BULK = Buffer.alloc(3_000_001, "0123456789abcdef");
const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");

/** A web server on the loopback interface: it sends BULK, or says what was sent to it. */
function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method === "GET") return void response.end(BULK);
    const hash = createHash("sha256");
    request.on("data", (bytes: Buffer) => hash.update(bytes));
    request.on("end", () => response.end(hash.digest("hex")));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** A port that nobody has at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createTcpServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Everything that comes from a port of this host. */
function readPort(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

// What the image has without installing anything: bash's own connections, and perl for a server.
const CURL = (port: number) =>
  `exec 3<>/dev/tcp/10.0.2.2/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && sed '1,/^\\r$/d' <&3 | sha256sum; exec 3>&-`;
const SERVER =
  "(perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 80, Listen => 5) or die; " +
  'while ($c = $s->accept) { print $c "from the guest\\n"; close $c }\' &)';

async function ensureNetwork(context: CheckContext, shell: GuestShell, web: number, published: number): Promise<void> {
  await shell.must("until ip -4 -o addr show scope global | grep -q 'inet 10\\.0\\.2\\.'; do sleep 0.2; done");
  ensureEqual(
    await shell.must(
      "ip -4 -o addr show scope global | awk '{ print $4 }'; ip route show default | awk '{ print $3 }'",
    ),
    "10.0.2.15/24\n10.0.2.2",
    "address and gateway by DHCP",
  );
  const start = performance.now();
  ensureEqual(await shell.must(CURL(web)), `${sha256(BULK)}  -`, "what the guest fetched");
  const seconds = (performance.now() - start) / 1000;
  context.note(`${BULK.length} bytes fetched in ${seconds.toFixed(2)} s, the guest's programs included`);
  ensureEqual(
    await shell.must("getent ahostsv4 localhost. > /dev/null; ping -c 1 -W 9 10.0.2.2 | grep -c ' 0% '"),
    "1",
    "an echo",
  );
  await shell.must("until ip -6 -o addr show scope global -tentative | grep -q fd69; do sleep 0.2; done");
  ensureEqual(await shell.must("ping -6 -c 1 -W 9 fd69:736f:6c61::2 | grep -c ' 0% '"), "1", "an echo over IPv6");
  const denied = await shell.run("(exec 3<>/dev/tcp/192.0.2.1/80) 2>&1");
  ensure(denied.status !== 0 && /refused|prohibited/i.test(denied.output), `a denied address: ${denied.output}`);
  await shell.must(SERVER);
  await shell.must("until (exec 3<>/dev/tcp/127.0.0.1/80) 2> /dev/null; do sleep 0.2; done");
  for (let i = 0; i < 3; i++)
    ensureEqual(await readPort(published), "from the guest\n", "what the published port said");
}

const debianNetwork: Check = {
  name: "network-debian",
  async run(context) {
    await pullOrSkip(context, "debian:12");
    const server = await serve();
    const published = await freePort();
    const network = [
      "--network",
      "user,host-loopback",
      "--publish",
      `${published}:80`,
      "--egress",
      "deny=192.0.2.0/24",
    ];
    const isola = new IsolaProcess(context, { name: "network-debian", args: ["run", "debian:12", ...network] });
    try {
      await isola.expect(/root@isola:~# /);
      const shell = new GuestShell(isola);
      await ensureNetwork(context, shell, (server.address() as AddressInfo).port, published);
      await ensureEnds(context, isola, "poweroff");
    } finally {
      isola.kill();
      server.closeAllConnections();
      server.close();
    }
  },
};

/** Debian's own tools install a package from an archive, which a server on this host passes on, and it works. */
const apt: Check = {
  name: "network-apt",
  async run(context) {
    await pullOrSkip(context, "debian:12");
    const server = await orSkip("hello", () => PackageServer.open());
    const args = ["run", "debian:12", "--network", "user,host-loopback"];
    const isola = new IsolaProcess(context, { name: "network-apt", args });
    try {
      await isola.expect(/root@isola:~# /);
      const shell = new GuestShell(isola);
      await shell.must("until ip -4 -o addr show scope global | grep -q 'inet 10\\.0\\.2\\.'; do sleep 0.2; done");
      const source = `deb http://10.0.2.2:${server.port}/debian bookworm main`;
      await shell.must(`rm -rf /etc/apt/sources.list.d/*; echo '${source}' > /etc/apt/sources.list`);
      await shell.must("apt-get -q -y update > log 2>&1 || (cat log; false)");
      await shell.must("apt-get -q -y install --no-install-recommends hello > log 2>&1 || (cat log; false)");
      ensureEqual(await shell.must("hello"), "Hello, world!", "what the installed program says");
      await ensureEnds(context, isola, "poweroff");
    } finally {
      isola.kill();
      server.close();
    }
  },
};

const portTaken: Check = {
  name: "network-port-taken",
  async run(context) {
    const server = await serve();
    const { port } = server.address() as AddressInfo;
    const args = ["run", "--kernel", "none", "--network", "user", "--publish", `${port}:80`];
    const isola = new IsolaProcess(context, { name: "network-port-taken", args });
    try {
      const { status, errors } = await isola.result();
      ensureEqual(status, 1, "the exit status");
      ensureEqual(errors, `isola: cannot publish 127.0.0.1:${port}/tcp: another program has it\n`, "the message");
    } finally {
      isola.kill();
      server.close();
    }
  },
};

export const networkBoots: readonly Check[] = [debianNetwork, apt, portTaken];
