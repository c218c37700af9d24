import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { OmniError } from "../../core/index.ts";
import { parseInvocation } from "../command.ts";
import { keys as command } from "./keys.ts";

const folder = mkdtempSync(join(tmpdir(), "omni-keys-"));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command in this process, over a state folder. */
async function run(state: string, args: readonly string[]): Promise<Ran> {
  vi.stubEnv("OMNI_STATE", state);
  const out: string[] = [];
  const err: string[] = [];
  const plain = (_style: string, text: string): string => text;
  const terminal = {
    out: (text: string) => out.push(text),
    err: (text: string) => err.push(text),
    interactive: false,
    columns: 80,
    style: plain,
    styleErr: plain,
  };
  const said = (code: number): Ran => ({ code, stdout: out.join("\n"), stderr: err.join("\n") });
  try {
    return said(await command.run(parseInvocation(command, args), terminal));
  } catch (error) {
    if (!(error instanceof OmniError)) throw error;
    err.push(`${error.code}: ${error.message} ${error.hint}`);
    return said(error.exitCode);
  }
}

const SECRET = /^omni_[0-9A-Za-z]{43}$/;

describe("omni keys on a machine where no node runs", () => {
  const state = join(folder, "alone");
  const keys = (...args: string[]) => run(state, args);

  it("creates a key, shows its secret once, and lists what it may do", async () => {
    expect(await keys("list")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("There are no keys"),
    });
    const rehearsed = await keys("create", "team", "--dry-run", "--route", "chat");
    expect(rehearsed).toMatchObject({ code: 0, stdout: "Would create the key team: routes chat." });
    expect(JSON.parse((await keys("list", "--json")).stdout)).toEqual({ keys: [] });

    const options = [
      "--route",
      "chat",
      "--tokens-per-day",
      "2000000",
      "--concurrent",
      "4",
      "--priority",
      "7",
      "--expires",
      "30d",
    ];
    const made = await keys("create", "team", ...options);
    const secret = made.stdout.trim();
    expect(secret).toMatch(SECRET);
    expect(made.stderr).toContain("shown this once");
    expect(made.stderr).toContain("It is the first key");
    const listed = await keys("list");
    expect(listed.stdout).toContain(`${secret.slice(0, 10)}…`);
    expect(listed.stdout).toContain("2 000 000 tokens/day, 4 at a time");
    expect(listed.stdout).toContain("routes chat, priority 7");
    const document: unknown = JSON.parse((await keys("list", "--json")).stdout);
    expect(document).toMatchObject({
      keys: [
        {
          name: "team",
          source: "store",
          state: "in force",
          may: {
            admin: false,
            routes: ["chat"],
            priority: 7,
            limits: { tokensPerDay: 2_000_000, concurrent: 4 },
          },
        },
      ],
    });
    expect(listed.stdout + JSON.stringify(document)).not.toContain(secret);
  });

  it("narrows what a key may do with MCP servers", async () => {
    const options = ["--tool", "files", "--mcp-read-only", "--mcp-resource", "files+file://docs/*"];
    const made = await keys("create", "reader", ...options, "--mcp-calls-per-minute", "60");
    expect(made.stderr).toContain(
      "tools files, MCP only to read, resources files+file://docs/*, 60 MCP calls/min",
    );
    expect(JSON.parse((await keys("list", "--json")).stdout)).toMatchObject({
      keys: expect.arrayContaining([
        expect.objectContaining({
          name: "reader",
          may: expect.objectContaining({
            mcp: { readOnly: true, resources: ["files+file://docs/*"], callsPerMinute: 60 },
          }),
        }),
      ]),
    });
    expect(await keys("create", "none", "--mcp-calls-per-minute", "0")).toMatchObject({ code: 2 });
    await keys("revoke", "reader", "--forget");
  });

  it("rotates with a grace, revokes, and refuses what is not there, by its code", async () => {
    const made = await keys("create", "short", "--json");
    const document: unknown = JSON.parse(made.stdout);
    expect(document).toMatchObject({ name: "short", secret: expect.stringMatching(SECRET) });
    expect(await keys("create", "short")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("key.exists"),
    });
    const rotated = await keys("rotate", "short", "--grace", "10m");
    expect(rotated.stdout.trim()).toMatch(SECRET);
    expect(rotated.stderr).toContain("the old one is good until");
    expect((await keys("list")).stdout).toContain("in force, old secret until");
    expect(await keys("revoke", "short")).toMatchObject({ code: 0 });
    expect((await keys("list")).stdout).not.toContain("short");
    expect((await keys("list", "--all")).stdout).toMatch(/short .*revoked/);
    expect(await keys("rotate", "short")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("key.unknown"),
    });
    expect(await keys("revoke", "short", "--forget")).toMatchObject({ code: 0 });
    expect((await keys("list", "--all")).stdout).not.toContain("short");
  });

  it.each([
    [["create"], "needs NAME"],
    [["create", "local"], "cannot be the name of a key"],
    [["create", "x", "--expires", "2020-01-01"], "has passed"],
    [["create", "x", "--expires", "2027-02-30"], "neither a duration nor a date"],
    [["create", "x", "--requests-per-minute", "0"], "--requests-per-minute"],
    [["rotate", "x", "--grace", "soon"], "--grace"],
    [["revok", "x"], "Did you mean ./omni keys revoke"],
    [["usage", "--days", "0"], "--days"],
  ])("says what is wrong with %j", async (args, words) => {
    expect(await keys(...args)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(words),
    });
  });

  it("keeps keys where the spec says, lists those of the spec, and never repeats a connection string", async () => {
    const spec = join(folder, "elsewhere.yaml");
    const own = join(folder, "own");
    writeFileSync(
      spec,
      "omni: 1\nmodels: { chat: builtin:omni-demo }\nkeys: { me: { env: OMNI_TEST_KEY_ME, admin: true } }\ngateway: { store: { folder: ./own } }\n",
    );
    const clash = await keys("create", "me", "--spec", spec);
    expect(clash).toMatchObject({ code: 2, stderr: expect.stringContaining("key.exists") });
    expect(await keys("create", "other", "--spec", spec)).toMatchObject({ code: 0 });
    vi.stubEnv("OMNI_TEST_KEY_ME", "x");
    const listed = await run(own, ["list", "--json", "--spec", spec]);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      keys: [
        { name: "me", source: "spec", state: "in force", may: { admin: true } },
        { name: "other", source: "store" },
      ],
    });
    expect((await keys("list")).stdout).not.toContain("other");

    const shared = join(folder, "shared.yaml");
    writeFileSync(
      shared,
      "omni: 1\nmodels: { chat: builtin:omni-demo }\ngateway: { store: { postgres: { env: OMNI_TEST_DATABASE } } }\n",
    );
    expect(await keys("list", "--spec", shared)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("OMNI_TEST_DATABASE"),
    });
    vi.stubEnv("OMNI_TEST_DATABASE", "postgres://me:hidden-word@127.0.0.1:1/db");
    const away = await keys("create", "x", "--spec", shared);
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining("store.unreachable") });
    expect(away.stderr).toContain("127.0.0.1:1/db");
    expect(away.stdout + away.stderr).not.toContain("hidden-word");
  });
});
