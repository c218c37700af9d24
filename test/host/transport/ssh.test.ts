import { execFileSync } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OmniError } from "../../../src/core/index.ts";
import { openTransport, sshTransport, transportPool } from "../../../src/host/transport/index.ts";
import type { HostTransport, SshOptions } from "../../../src/host/transport/index.ts";
import { eventually, isAlive } from "../../fakes/alive.ts";
import { noSshServer, startSshServer } from "../../fakes/ssh-server.ts";
import type { SshServer } from "../../fakes/ssh-server.ts";

const missing = noSshServer();
const because = missing === undefined ? "" : ` (${missing})`;

describe.skipIf(missing !== undefined)(`a host over SSH${because}`, () => {
  let server: SshServer;
  let folder = "";
  beforeAll(async () => {
    server = await startSshServer();
    folder = mkdtempSync(join(tmpdir(), "omni-ssh-"));
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const using = async <T>(
    options: Partial<SshOptions>,
    use: (host: HostTransport) => Promise<T>,
  ): Promise<T> => {
    const host = sshTransport({ ...server, ...options });
    try {
      return await use(host);
    } finally {
      await host.close();
    }
  };
  const greet = (host: HostTransport): Promise<string> =>
    host.run({ argv: ["echo", "here"], timeout: 20_000 }).then(({ stdout }) => stdout);
  const knownHosts = (text: string): string => {
    const file = join(folder, `known-${randomBytes(4).toString("hex")}`);
    writeFileSync(file, text);
    return file;
  };
  const known = (): { readonly name: string; readonly key: string } => {
    const [name = "", ...key] = readFileSync(server.knownHosts, "utf8").trim().split(" ");
    return { name, key: key.join(" ") };
  };

  it("of which no key is known is refused with its fingerprint and the command that adds it", async () => {
    const file = knownHosts("# nobody yet\nother.example ssh-ed25519 AAAA\n");
    const fault = await using({ knownHosts: file }, greet).catch((thrown: unknown) => thrown);
    const print = execFileSync("ssh-keygen", ["-lf", join(server.folder, "host_key.pub")], {
      encoding: "utf8",
    }).split(" ")[1];
    expect(fault).toMatchObject({
      code: "host.key-unknown",
      exitCode: 3,
      message: expect.stringContaining(`${print},`),
    });
    const command = /then: (echo .*)$/.exec(fault instanceof OmniError ? fault.hint : "")?.[1] ?? "";
    execFileSync("sh", ["-c", command]);
    expect(await using({ knownHosts: file }, greet)).toBe("here\n");
  });

  it("that shows another key is refused, with what removes the old one", async () => {
    const other = `${known().name} ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from("ssh-ed25519"), randomBytes(36)]).toString("base64")}\n`;
    const file = knownHosts(other);
    await expect(using({ knownHosts: file }, greet)).rejects.toMatchObject({
      code: "host.key-changed",
      message: expect.stringContaining(`${file}:1`),
      hint: expect.stringContaining(`ssh-keygen -f ${file} -R '${known().name}'`),
    });
    appendFileSync(file, `${known().name} ${known().key}\n`);
    expect(await using({ knownHosts: file }, greet), "one of several keys is enough").toBe("here\n");
  });

  it("known by a key of another type alone is refused", async () => {
    const file = knownHosts(`${known().name} ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7\n`);
    await expect(using({ knownHosts: file }, greet)).rejects.toMatchObject({
      code: "host.key-changed",
      message: expect.stringContaining("known is ssh-rsa"),
    });
  });

  it("is known by a hashed name, by a pattern, and not by one that excludes it", async () => {
    const { name, key } = known();
    const salt = randomBytes(20);
    const hash = createHmac("sha1", salt).update(name).digest("base64");
    expect(
      await using({ knownHosts: knownHosts(`|1|${salt.toString("base64")}|${hash} ${key}\n`) }, greet),
    ).toBe("here\n");
    expect(await using({ knownHosts: knownHosts(`[127.0.*]:* ${key}\n`) }, greet)).toBe("here\n");
    await expect(
      using({ knownHosts: knownHosts(`[127.0.*]:*,!${name} ${key}\n`) }, greet),
    ).rejects.toMatchObject({ code: "host.key-unknown" });
    await expect(
      using({ knownHosts: knownHosts(`127.0.0.1 ${key}\n`) }, greet),
      "the port is part of the name",
    ).rejects.toMatchObject({ code: "host.key-unknown" });
  });

  it("whose key was revoked is refused, and a certificate authority is named as such", async () => {
    const { name, key } = known();
    await expect(
      using({ knownHosts: knownHosts(`${name} ${key}\n@revoked * ${key}\n`) }, greet),
    ).rejects.toMatchObject({
      code: "host.key-changed",
      message: expect.stringContaining("revoked"),
    });
    await expect(
      using({ knownHosts: knownHosts(`@cert-authority * ${key}\n`) }, greet),
    ).rejects.toMatchObject({
      code: "host.key-unknown",
      message: expect.stringContaining("certificate authority"),
    });
  });

  it("that was installed anew is refused from the next connection on", async () => {
    await using({}, async (host) => {
      expect(await greet(host)).toBe("here\n");
      const before = ["host_key", "host_key.pub"].map(
        (name) => [name, readFileSync(join(server.folder, name))] as const,
      );
      server.changeHostKey();
      await server.stop();
      await server.start();
      await expect(greet(host)).rejects.toMatchObject({ code: "host.key-changed" });
      for (const [name, bytes] of before) writeFileSync(join(server.folder, name), bytes);
      await server.stop();
      await server.start();
      expect(await greet(host)).toBe("here\n");
    });
  });

  it("is reached again after the connection was lost, and nothing runs twice", async () => {
    await using({}, async (host) => {
      const runs = join(folder, "runs");
      const running = host.run({ argv: ["sh", "-c", 'echo run >>"$0"; sleep 300', runs], timeout: 60_000 });
      await eventually("it runs", () => existsSync(runs));
      await server.cut();
      expect(await running).toMatchObject({ ended: false, why: "disconnected" });
      expect(await greet(host)).toBe("here\n");
      expect(readFileSync(runs, "utf8")).toBe("run\n");
    });
  });

  it("gets no half of a file when the connection is lost", async () => {
    await using({}, async (host) => {
      const path = join(folder, "config");
      await host.writeFile(path, "old\n", { mode: 0o644 });
      const writing = host
        .writeFile(path, Buffer.alloc(200_000_000), { mode: 0o644 })
        .catch((thrown: unknown) => thrown);
      await eventually(
        "it is under way",
        () =>
          server.sessions().length > 0 &&
          execFileSync("ls", ["-A", folder], { encoding: "utf8" }).includes(".omni."),
      );
      await server.cut();
      expect(await writing).toMatchObject({ code: "host.command-failed" });
      await eventually(
        "what was begun is gone",
        () => !execFileSync("ls", ["-A", folder], { encoding: "utf8" }).includes(".omni."),
      );
      expect(readFileSync(path, "utf8")).toBe("old\n");
    });
  });

  it("that does not answer is unreachable, and asked again the next time", async () => {
    await using({}, async (host) => {
      await server.stop();
      await expect(greet(host)).rejects.toMatchObject({
        code: "host.unreachable",
        hint: expect.stringContaining(`ssh -p ${server.port}`),
      });
      await server.start();
      expect(await greet(host)).toBe("here\n");
    });
  });

  it("runs as many programs as are asked for, whatever the server lets run at once", async () => {
    await using narrow = await startSshServer({ config: ["MaxSessions 3"] });
    const host = sshTransport(narrow);
    try {
      const all = await Promise.all(Array.from({ length: 24 }, () => greet(host)));
      expect(new Set(all)).toEqual(new Set(["here\n"]));
    } finally {
      await host.close();
    }
  });

  it("kills even where the login shell forks, and its noise is no output", async () => {
    // ForceCommand stands for a login shell that greets, and runs commands as children of its own.
    const shell = join(folder, "login-shell");
    writeFileSync(
      shell,
      `echo welcome; echo "news of today" >&2; exec 3<&0; sh -c "$SSH_ORIGINAL_COMMAND" <&3 & wait $!; exit $?\n`,
    );
    await using forced = await startSshServer({ config: [`ForceCommand sh ${shell}`] });
    const host = sshTransport(forced);
    try {
      expect(
        await host.run({ argv: ["sh", "-c", "cat; echo err >&2; exit 5"], input: "in", timeout: 20_000 }),
      ).toMatchObject({
        code: 5,
        stdout: "in",
        stderr: "err\n",
      });
      const file = join(folder, "pid");
      const result = await host.run({
        argv: ["sh", "-c", 'sleep 300 & echo $! >"$0"; wait', file],
        timeout: 1000,
      });
      expect(result).toMatchObject({ ended: false, why: "timeout" });
      await eventually("it is dead", () => !isAlive(Number(readFileSync(file, "utf8"))));
    } finally {
      await host.close();
    }
  });

  it("hides environment and words from its list of processes while they are on their way", async () => {
    await using({}, async (host) => {
      const seen = await host.run({
        argv: ["sh", "-c", 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'],
        environment: { TOKEN_OF_TEST: "hf_abcdefghijk" },
        timeout: 20_000,
      });
      expect(seen.stdout).toContain("sshd");
      expect(seen.stdout).not.toContain("hf_abcdefghijk");
    });
  });

  it("says which keys could not be used", async () => {
    const locked = join(folder, "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", locked]);
    await expect(using({ identity: locked }, greet)).rejects.toMatchObject({
      code: "host.unreachable",
      message: expect.stringContaining(`ssh-add ${locked}`),
    });
    await expect(using({ identity: join(folder, "none") }, greet)).rejects.toMatchObject({
      code: "host.unreachable",
      message: expect.stringContaining("cannot be read"),
    });
    const stranger = join(folder, "stranger");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", stranger]);
    await expect(using({ identity: stranger }, greet)).rejects.toMatchObject({
      code: "host.unreachable",
      message: expect.stringContaining("the login was refused"),
    });
  });

  it("is found by its name in the configuration of SSH", async () => {
    const config = join(folder, "config-of-ssh");
    writeFileSync(
      config,
      `Host bunker other\n  HostName 127.0.0.1\n  Port ${server.port}\n  User root\n  IdentityFile "${server.identity}"\nHost far\n  ProxyJump bastion\nHost *\n  Port 1\n`,
    );
    const host = openTransport("bunker", { config, knownHosts: server.knownHosts });
    expect(await greet(host)).toBe("here\n");
    expect(host.name).toBe(server.destination);
    await host.close();
    expect(() => openTransport("root@far", { config })).toThrow(/ProxyJump bastion/);
  });

  it("is opened once by a pool", async () => {
    const pool = transportPool(server);
    expect(pool.to(server.destination)).toBe(pool.to(server.destination));
    expect(pool.to()).toMatchObject({ kind: "local" });
    await eventually("no connection is left", () => server.sessions().length === 0);
    await Promise.all([greet(pool.to(server.destination)), greet(pool.to(server.destination))]);
    expect(server.sessions()).toHaveLength(1);
    await pool[Symbol.asyncDispose]();
    await eventually("it is closed", () => server.sessions().length === 0);
  });

  it.each(["", "-oProxyCommand=x", "root@", "root@host:0", "root@host:70000", "a b@host", "root@-x"])(
    "has no address like %j",
    (text) => {
      expect(() => openTransport(text)).toThrow(/is no address of an SSH server/);
    },
  );
});
