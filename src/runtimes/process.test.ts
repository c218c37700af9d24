import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fakeLaunch, fakeService } from "../../test/fakes/fake-driver.ts";
import { LocalAddresses } from "./local-addresses.ts";
import { createProcessRuntime } from "./process.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-process-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("addresses", () => {
  test("a port that its owner asked for is taken when it is free, and another when it is not", async () => {
    const addresses = new LocalAddresses(folder, () => new Set());
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const bound = taken.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const other = await addresses.allocate("oracle", { socket: false, port });
    expect(other).toMatchObject({ kind: "tcp", host: "127.0.0.1" });
    expect(other).not.toMatchObject({ port });
    taken.close();
    await once(taken, "close");
    expect(await addresses.allocate("oracle", { socket: false, port })).toMatchObject({ port });
    // It is promised, though nobody listens yet.
    expect(await addresses.allocate("scribe", { socket: false, port })).not.toMatchObject({ port });
    expect(await addresses.allocate("oracle", { socket: false, port })).toMatchObject({ port });
  });

  test.skipIf(process.platform === "win32")(
    "a socket of an engine that lives is never given to another",
    async () => {
      const living = new Set<string>();
      const addresses = new LocalAddresses(folder, () => living);
      const first = await addresses.allocate("oracle", { socket: true });
      expect(first).toEqual({ kind: "unix", path: join(folder, "run/oracle.sock") });
      expect(await addresses.allocate("oracle", { socket: true })).toEqual(first);
      living.add(join(folder, "run/oracle.sock"));
      expect(await addresses.allocate("oracle", { socket: true })).toEqual({
        kind: "unix",
        path: join(folder, "run/oracle.2.sock"),
      });
      addresses.close(living);
      expect(existsSync(join(folder, "run"))).toBe(false);
    },
  );
});

test("what is written about an engine holds neither its command nor its environment", async () => {
  const runtime = createProcessRuntime({ stateFolder: folder });
  const address = await runtime.allocate("oracle", { socket: true });
  const spec = fakeLaunch(fakeService("oracle", { print: ["word-of-the-command"] }), address);
  const unit = await runtime.start({ ...spec, digest: "d", environment: { OMNI_KEY: "secret-value" } });
  const names = readdirSync(join(folder, "units"));
  expect(names).toContain(`${unit.id}.json`);
  const record = readFileSync(join(folder, "units", `${unit.id}.json`), "utf8");
  expect(record).toContain(`"digest":"d"`);
  expect(record).not.toContain("word-of-the-command");
  expect(record).not.toContain("secret-value");
  await unit.stop(0);
  await runtime.close();
  expect(readdirSync(join(folder, "units"))).toEqual([]);
  expect(existsSync(join(folder, "run"))).toBe(false);
});
