import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { doctor as command } from "../../src/cli/commands/doctor.ts";
import { CHECKS } from "../../src/host/doctor/index.ts";
import { inProcess } from "../fakes/command-in-process.ts";
import { sshHome } from "../fakes/ssh-home.ts";
import { noSshServer, startSshServer } from "../fakes/ssh-server.ts";
import type { SshServer } from "../fakes/ssh-server.ts";
import { omni, temporaryFolder } from "./run-node.ts";
import type { Finished } from "./run-node.ts";

const FINDING = z.strictObject({
  check: z.string(),
  subject: z.string().optional(),
  state: z.enum(["ok", "note", "warning", "error", "unknown"]),
  seen: z.string().min(1),
  wanted: z.string().optional(),
  why: z.string().optional(),
  remedy: z.string().optional(),
  fix: z.unknown().optional(),
  path: z.string().optional(),
  source: z.string().optional(),
});
const DOCUMENT = z.strictObject({
  spec: z.string().nullable(),
  hosts: z.array(
    z.strictObject({
      host: z.string(),
      machine: z.string().nullable(),
      verdict: z.enum(["fine", "attention", "wrong"]),
      checks: z.number(),
      findings: z.array(FINDING),
    }),
  ),
  fixes: z.array(z.unknown()),
});

const folder = temporaryFolder();
afterAll(() => folder.remove());
const empty = join(folder.path, "empty");
const withSpec = join(folder.path, "with-spec");
const SPEC = `omni: 1
machines:
  here: { disks: { models: { serial: NO-SUCH-DISK, mount: /nowhere/of/omni } } }
  there: { ssh: "nobody@127.0.0.1:1" }
runtime: process
`;
beforeAll(() => {
  mkdirSync(empty);
  mkdirSync(withSpec);
  writeFileSync(join(withSpec, "omni.yaml"), SPEC);
});

const doctor = (
  args: readonly string[],
  cwd = empty,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> => omni(["doctor", ...args], folder.path, undefined, { cwd, env });

describe("omni doctor on this machine", () => {
  it("looks at it without a spec, and every check comes to an end", async () => {
    const { code, stdout } = await doctor(["--json"]);
    const { spec, hosts } = DOCUMENT.parse(JSON.parse(stdout));
    const [here] = hosts;
    expect([spec, hosts.length, here?.host, here?.checks]).toEqual([null, 1, "this machine", CHECKS.length]);
    const findings = here?.findings ?? [];
    const known = new Set(CHECKS.map(({ id }): string => id));
    expect(
      findings.filter(({ check, seen }) => !known.has(check) || seen.includes("could not be looked at")),
    ).toEqual([]);
    expect(findings.some(({ check }) => check === "disks.root")).toBe(true);
    expect(code).toBe(findings.some(({ state }) => state === "error") ? 1 : 0);
  });

  it("prints groups, counts what is well, and shows it with --all", async () => {
    const short = await doctor(["--only", "memory"]);
    expect(short.stdout).toMatch(/^this machine\n\nmemory {2}\d+ ok\n/);
    const long = await doctor(["--only", "memory", "--all"]);
    expect(long.stdout).toMatch(/ {2}ok {6}memory\.size\n {10}seen {4}[\d.]+ GiB\n/);
    expect(long.stdout).toMatch(/\nNext: \.\/omni \w+.*\n$/);
  });

  it("shows fixes and makes none with --dry-run; without any there is nothing to agree to", async () => {
    const { code, stderr } = await doctor(["--fix", "--dry-run", "--only", "disks.inodes"]);
    expect([code, stderr]).toEqual([0, "There is nothing that could be mended without risk.\n"]);
  });

  it("refuses what it does not know, with exit code 2 and the nearest name", async () => {
    const wrong = await inProcess(command, ["--only", "diks"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("Did you mean --only disks?")]);
    const alone = await inProcess(command, ["--yes"]);
    expect([alone.code, alone.stderr]).toEqual([
      2,
      expect.stringContaining("--yes means nothing without --fix."),
    ]);
    const missing = await inProcess(command, ["no-such.yaml"]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("no-such.yaml")]);
  });
});

describe("omni doctor beside a spec", () => {
  it("finds what the spec asks for and the machine has not", async () => {
    const { code, stdout } = await doctor(["--host", "here", "--json", "--only", "disks.mounted"], withSpec);
    const { spec, hosts } = DOCUMENT.parse(JSON.parse(stdout));
    expect([code, spec, hosts.map(({ machine, verdict }) => [machine, verdict])]).toEqual([
      1,
      "omni.yaml",
      [["here", "wrong"]],
    ]);
    expect(hosts[0]?.findings).toEqual([
      {
        check: "disks.mounted",
        subject: "/nowhere/of/omni",
        path: "machines.here.disks.models.mount",
        wanted: "a file system of the disk models (serial NO-SUCH-DISK)",
        state: "error",
        seen: "nothing is mounted there, and there is no such folder",
        why: "Services that read models from it cannot start.",
        remedy: expect.any(String),
      },
    ]);
  });

  it("refuses a wrong spec and a machine that the spec does not have", async () => {
    writeFileSync(join(withSpec, "wrong.yaml"), "omni: 1\nmetal: { platform: windows }\n");
    const wrong = await inProcess(command, [join(withSpec, "wrong.yaml")]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("wrong.yaml:2")]);
    const unknown = await inProcess(command, [join(withSpec, "omni.yaml"), "--host", "heer"]);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("Did you mean --host here?")]);
  });

  it("looks at every machine of the spec, and one that cannot be reached hides none of the others", async () => {
    const { code, stdout } = await doctor(["--json", "--only", "disks.mounted,network.ports"], withSpec);
    const { hosts } = DOCUMENT.parse(JSON.parse(stdout));
    expect([
      code,
      hosts.map(({ machine, verdict, findings }) => [machine, verdict, findings.map(({ check }) => check)]),
    ]).toEqual([
      1,
      [
        ["here", "wrong", ["disks.mounted", "network.ports"]],
        ["there", "wrong", ["system.reachable"]],
      ],
    ]);
  });

  it("says that a host cannot be reached, with its address", async () => {
    const { code, stderr } = await doctor(["--host", "there", "--only", "disks"], withSpec);
    expect([code, stderr]).toEqual([1, expect.stringContaining("host.unreachable")]);
    expect(stderr).toContain("127.0.0.1:1");
  });
});

const missing = noSshServer();
describe.skipIf(missing !== undefined)(
  `omni doctor over SSH${missing === undefined ? "" : `: ${missing}`}`,
  () => {
    let server: SshServer;
    beforeAll(async () => {
      server = await startSshServer();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    const remote = (args: readonly string[], known = server.knownHosts): Promise<Finished> =>
      doctor(["--host", `ssh://${server.destination}`, ...args], empty, {
        ...sshHome(join(folder.path, "home"), server),
        OMNI_KNOWN_HOSTS: known,
        TMPDIR: folder.path,
      });

    it("sees the same disks as it does here, and leaves nothing behind", async () => {
      const seen = async (finished: Promise<Finished>): Promise<readonly unknown[]> => {
        const { hosts } = DOCUMENT.parse(JSON.parse((await finished).stdout));
        return (hosts[0]?.findings ?? []).map(({ check, state }) => [check, state]);
      };
      const only = ["--json", "--only", "disks.root", "--only", "memory.size", "--only", "system.kernel"];
      const there = await seen(remote(only));
      expect(there).toEqual(await seen(doctor(only)));
      expect(there.length).toBeGreaterThan(2);
      expect(readdirSync(folder.path).filter((name) => name.startsWith("omni-view-"))).toEqual([]);
    });

    it("refuses a host whose key nobody knows", async () => {
      const nobody = join(folder.path, "no-known-hosts");
      writeFileSync(nobody, "");
      const { code, stderr } = await remote(["--only", "disks"], nobody);
      expect([code, stderr]).toEqual([3, expect.stringContaining("host.key-unknown")]);
    });
  },
);
