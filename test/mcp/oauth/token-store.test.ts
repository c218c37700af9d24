import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openTokenStore } from "../../../src/mcp/oauth/token-store.ts";
import type { Grant, TokenStore } from "../../../src/mcp/oauth/token-store.ts";

const WRITER = fileURLToPath(new URL("../../fakes/grant-writer.ts", import.meta.url));
const URL_OF = "https://mcp.example.com/mcp";

let folder = "";
let store: TokenStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-tokens-"));
  store = openTokenStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const grant = (over: Partial<Grant> = {}): Grant => ({
  server: "wiki",
  url: URL_OF,
  issuer: "https://login.example.com",
  resource: URL_OF,
  obtained: 1,
  client: { id: "omni" },
  tokens: { access: "access-1", refresh: "refresh-1", expires: 5 },
  ...over,
});

const files = (): readonly string[] => readdirSync(join(folder, "mcp-tokens"));

test("A login lies in a file for this user alone, and is read as it was written", async () => {
  await store.write(grant());
  expect(statSync(join(folder, "mcp-tokens")).mode & 0o777).toBe(0o700);
  const [file = ""] = files();
  expect(file).toMatch(/^wiki\.[0-9a-f]{24}\.json$/);
  expect(statSync(join(folder, "mcp-tokens", file)).mode & 0o777).toBe(0o600);
  expect(await openTokenStore(folder).latest("wiki", URL_OF)).toEqual(grant());
});

test("Logins are apart by server and issuer; the last one counts", async () => {
  await store.write(grant({ obtained: 3, issuer: "https://new.example.com" }));
  await store.write(grant({ obtained: 2 }));
  await store.write(grant({ server: "wiki-2", obtained: 9 }));
  expect(files()).toHaveLength(3);
  expect((await store.latest("wiki", URL_OF))?.issuer).toBe("https://new.example.com");
  await store.forget("wiki", "https://new.example.com");
  expect((await store.latest("wiki", URL_OF))?.issuer).toBe("https://login.example.com");
  await store.write(grant({ obtained: 4, issuer: "https://new.example.com" }));
  await store.forgetOthers("wiki", "https://login.example.com");
  expect((await store.latest("wiki", URL_OF))?.obtained).toBe(2);
  expect((await store.latest("wiki-2", URL_OF))?.obtained).toBe(9);
});

test("A login is not for the same name at another origin", async () => {
  await store.write(grant());
  expect(await store.latest("wiki", "https://mcp.example.com/other")).toBeDefined();
  expect(await store.latest("wiki", "https://evil.example/mcp")).toBeUndefined();
  expect(await store.latest("wiki", "https://mcp.example.com:8443/mcp")).toBeUndefined();
});

test("A file that cannot be read is no login, and a new one mends it", async () => {
  await store.write(grant());
  const [file = ""] = files();
  for (const text of ["", "{", "{}", '{"server":"wiki"}']) {
    writeFileSync(join(folder, "mcp-tokens", file), text);
    expect(await store.latest("wiki", URL_OF)).toBeUndefined();
  }
  await store.write(grant());
  expect(await store.latest("wiki", URL_OF)).toEqual(grant());
});

test("What a process left that died while it wrote is taken away", async () => {
  await store.write(grant());
  const [left, busy] = ["x.json.1.aside", "x.json.2.aside"].map((name) => join(folder, "mcp-tokens", name));
  for (const path of [left ?? "", busy ?? ""]) writeFileSync(path, "{}");
  utimesSync(left ?? "", 1, 1);
  await store.write(grant());
  expect(files().filter((name) => name.endsWith(".aside"))).toEqual(["x.json.2.aside"]);
});

test("Processes that write at once lose nothing of each other, and leave whole files", async () => {
  const names = ["one", "two", "three"];
  const writers = names.map((name) =>
    spawn(process.execPath, [WRITER, folder, name, "30"], { stdio: "inherit" }),
  );
  const ended = Promise.all(writers.map((writer) => once(writer, "exit")));
  const writing = new AbortController();
  void ended.then(() => writing.abort());
  const seen = new Set<string>();
  while (!writing.signal.aborted) {
    const found = await store.latest("shared", URL_OF);
    seen.add(
      found === undefined ? "none" : String(found.tokens?.access === `${found.client.id}-`.repeat(2000)),
    );
    await setImmediate();
  }
  expect((await ended).map(([code]) => code)).toEqual([0, 0, 0]);
  seen.delete("none");
  expect([...seen]).toEqual(["true"]);
  for (const name of names) expect((await store.latest(name, URL_OF))?.obtained).toBe(29);
  expect(files()).toHaveLength(4);
});
