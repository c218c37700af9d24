import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  existsSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { localTransport, sshTransport } from "../../../src/host/transport/index.ts";
import type { CommandResult, HostCommand, HostTransport } from "../../../src/host/transport/index.ts";
import { eventually, isAlive } from "../../fakes/alive.ts";
import { noSshServer, startSshServer } from "../../fakes/ssh-server.ts";
import type { SshServer } from "../../fakes/ssh-server.ts";

const missing = noSshServer();
let server: SshServer | undefined;

/** The ways to a host; all that follows holds for each. */
const SUBJECTS: readonly (readonly [name: string, skipped: boolean, open: () => Promise<HostTransport>])[] = [
  ["this machine", false, () => Promise.resolve(localTransport())],
  [
    `SSH${missing === undefined ? "" : ` (${missing})`}`,
    missing !== undefined,
    async () => {
      server = await startSshServer();
      return sshTransport(server);
    },
  ],
];

describe.each(SUBJECTS)("a host over %s", (_name, skipped, open) => {
  let host: HostTransport;
  let folder = "";
  beforeAll(async () => {
    if (!skipped) host = await open();
  });
  afterAll(async () => {
    if (skipped) return;
    await host.close();
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  });
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "omni-host-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const sh = (script: string, more: Partial<HostCommand> = {}): Promise<CommandResult> =>
    host.run({ argv: ["sh", "-c", script, "sh"], timeout: 20_000, ...more });

  const CASES: readonly (readonly [title: string, command: () => HostCommand, result: object])[] = [
    [
      "tells both streams and the status",
      () => ({ argv: ["sh", "-c", "echo out; echo err >&2; exit 3"], timeout: 20_000 }),
      { ended: true, code: 3, stdout: "out\n", stderr: "err\n", leftOut: 0 },
    ],
    [
      "lets no shell look at its arguments",
      () => ({
        argv: [
          "printf",
          "%s|",
          "a b",
          "$HOME",
          "it's",
          '"',
          "*",
          "a\nb",
          "\\n",
          "",
          "-n",
          "~",
          "ü;!#&",
          "A=1",
        ],
        timeout: 20_000,
      }),
      { ended: true, code: 0, stdout: "a b|$HOME|it's|\"|*|a\nb|\\n||-n|~|ü;!#&|A=1|" },
    ],
    [
      "adds to the environment of the host",
      () => ({
        argv: ["sh", "-c", 'printf %s "$A$B"; [ -n "$PATH" ]'],
        environment: { A: "1 '2'\n", B: "$A" },
        timeout: 20_000,
      }),
      { ended: true, code: 0, stdout: "1 '2'\n$A" },
    ],
    [
      "runs it in a folder",
      () => ({ argv: ["pwd"], cwd: "/usr/lib", timeout: 20_000 }),
      { ended: true, code: 0, stdout: "/usr/lib\n" },
    ],
    [
      "says that a program is not installed",
      () => ({ argv: ["no-such-program-here"], timeout: 20_000 }),
      { ended: false, why: "absent", message: "no-such-program-here is not installed" },
    ],
    [
      "says that a path leads to no program",
      () => ({ argv: ["/nowhere/at/all"], cwd: "/", timeout: 20_000 }),
      { ended: false, why: "absent" },
    ],
    [
      "refuses what is no program",
      () => ({ argv: ["/etc/passwd"], timeout: 20_000 }),
      { ended: false, why: "failed" },
    ],
    [
      "refuses a folder that does not exist",
      () => ({ argv: ["pwd"], cwd: "/nowhere/at/all", timeout: 20_000 }),
      { ended: false, why: "failed" },
    ],
    [
      "tells the signal that ended it",
      () => ({ argv: ["sh", "-c", "kill -TERM $$"], timeout: 20_000 }),
      { ended: true, code: 143 },
    ],
    [
      "gives it a text to read",
      () => ({ argv: ["cat"], input: "grüße\n", timeout: 20_000 }),
      { ended: true, code: 0, stdout: "grüße\n" },
    ],
    [
      "gives it bytes to read",
      () => ({ argv: ["od", "-An", "-tx1"], input: new Uint8Array([0, 255, 10]), timeout: 20_000 }),
      { ended: true, code: 0, stdout: " 00 ff 0a\n" },
    ],
    [
      "gives it a stream to read",
      () => ({
        argv: ["wc", "-c"],
        input: Readable.from([Buffer.alloc(300_000), Buffer.alloc(5)]),
        timeout: 20_000,
      }),
      { ended: true, code: 0, stdout: "300005\n" },
    ],
    [
      "closes the input of one that gets none",
      () => ({ argv: ["cat"], timeout: 20_000 }),
      { ended: true, code: 0, stdout: "" },
    ],
    [
      "does not mind one that reads nothing",
      () => ({ argv: ["true"], input: Buffer.alloc(1_000_000), timeout: 20_000 }),
      { ended: true, code: 0 },
    ],
    [
      "tells of an input that breaks off",
      () => ({
        argv: ["sh", "-c", "cat >/dev/null; sleep 60"],
        input: new Readable({
          read() {
            this.destroy(new Error("cable pulled"));
          },
        }),
        timeout: 20_000,
      }),
      { ended: false, why: "failed", message: "its input broke off: cable pulled" },
    ],
    [
      "keeps the beginning and the end of long output",
      () => ({
        argv: ["sh", "-c", "printf beginning; head -c 3000000 /dev/zero | tr '\\0' ö; printf end"],
        mostBytes: 40,
        timeout: 20_000,
      }),
      { ended: true, code: 0, leftOut: 3_000_012 - 40 },
    ],
    [
      "does not wait for what it leaves running",
      () => ({ argv: ["sh", "-c", "sleep 5 & echo left"], timeout: 4000 }),
      { ended: true, code: 0, stdout: "left\n" },
    ],
  ];
  it.skipIf(skipped).for(CASES)("%s", async ([, command, result]) => {
    expect(await host.run(command())).toMatchObject(result);
  });

  it.skipIf(skipped)("tells of output as it comes, and cuts no character", async () => {
    const told: string[] = [];
    const result = await sh(
      "printf '\\303'; sleep 0.2; printf '\\274'; printf '\\342\\202' >&2; sleep 0.2; printf '\\254' >&2",
      {
        onOutput: (stream, text) => told.push(`${stream} ${text}`),
      },
    );
    expect(result).toMatchObject({ stdout: "ü", stderr: "€" });
    expect(told.toSorted()).toEqual(["stderr €", "stdout ü"]);
  });

  it.skipIf(skipped)("kept text cuts no character and says what is missing", async () => {
    const result = await host.run({
      argv: ["sh", "-c", "printf 'aöööööööb'"],
      mostBytes: 8,
      timeout: 20_000,
    });
    expect(result.stdout).toBe("aö\n[8 bytes left out]\nöb");
  });

  const pidIn = (name: string): number => Number(readFileSync(join(folder, name), "latin1"));
  const SLEEPERS = 'echo $$ >"$0/own"; sleep 300 & echo $! >"$0/child"; : >"$0/ready"; wait';
  const sleepers = (more: Partial<HostCommand>): Promise<CommandResult> =>
    host.run({ argv: ["sh", "-c", SLEEPERS, folder], timeout: 20_000, ...more });

  it.skipIf(skipped)("kills at the limit the program and what it started", async () => {
    expect(await sleepers({ timeout: 1500 })).toMatchObject({
      ended: false,
      why: "timeout",
      message: "sh did not end within 1.5 s and was killed",
    });
    await eventually("both are dead", () => !isAlive(pidIn("own")) && !isAlive(pidIn("child")));
  });

  it.skipIf(skipped)("kills both when it is called off", async () => {
    const abort = new AbortController();
    const running = sleepers({ signal: abort.signal });
    await eventually("it runs", () => existsSync(join(folder, "ready")));
    abort.abort();
    expect(await running).toMatchObject({ ended: false, why: "aborted" });
    await eventually("both are dead", () => !isAlive(pidIn("own")) && !isAlive(pidIn("child")));
    expect(await host.run({ argv: ["true"], timeout: 20_000, signal: abort.signal })).toMatchObject({
      ended: false,
      why: "aborted",
    });
  });

  it.skipIf(skipped)("runs many at a time", async () => {
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, index) => sh(`echo ${index}; sleep 0.05`)),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, index) => `${index}\n`));
  });

  it.skipIf(skipped)("reads a file, and the files of the kernel", async () => {
    const bytes = Buffer.from([0, 1, 254, 255, 10, 13]);
    writeFileSync(join(folder, "a file"), bytes);
    writeFileSync(join(folder, "empty"), "");
    expect(await host.readFile(join(folder, "a file"))).toEqual(bytes);
    expect(await host.readFile(join(folder, "empty"))).toHaveLength(0);
    expect(Buffer.from((await host.readFile("/proc/version")) ?? []).toString()).toMatch(/^Linux version/);
    expect(await host.readFile(join(folder, "missing"))).toBeUndefined();
    expect(await host.readFile(join(folder, "empty/below"))).toBeUndefined();
    await expect(host.readFile(folder)).rejects.toMatchObject({ code: "host.command-failed" });
    await expect(host.readFile(join(folder, "a file"), 5)).rejects.toMatchObject({
      code: "host.command-failed",
    });
    expect(await host.readFile(join(folder, "a file"), 6)).toEqual(bytes);
  });

  it.skipIf(skipped)("writes a file whole, with its mode, over an older one or a link", async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    const path = join(folder, "it's a file");
    await host.writeFile(path, bytes, { mode: 0o751 });
    expect(readFileSync(path)).toEqual(bytes);
    expect(statSync(path).mode & 0o7777).toBe(0o751);
    writeFileSync(join(folder, "elsewhere"), "kept");
    symlinkSync("elsewhere", join(folder, "link"));
    await host.writeFile(join(folder, "link"), "ü\n", { mode: 0o600 });
    await host.writeFile(path, "", { mode: 0o644 });
    expect(readFileSync(join(folder, "link"), "utf8")).toBe("ü\n");
    expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("kept");
    expect(readFileSync(path)).toHaveLength(0);
    expect(readdirSync(folder).toSorted()).toEqual(["elsewhere", "it's a file", "link"]);
  });

  it.skipIf(skipped)("says why a file cannot be written, and leaves nothing", async () => {
    await expect(host.writeFile(join(folder, "no/such/file"), "x", { mode: 0o644 })).rejects.toMatchObject({
      code: "host.command-failed",
    });
    await expect(host.writeFile(folder, "x", { mode: 0o644 })).rejects.toMatchObject({
      code: "host.command-failed",
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
