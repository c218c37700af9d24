import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { serviceEndpoints } from "../../src/api/endpoints/index.ts";
import type { EngineLog } from "../../src/supervisor/index.ts";
import type { EndpointServer } from "../fakes/endpoint-server.ts";
import { startEndpoints } from "../fakes/endpoint-server.ts";

const SECRET = "correct-horse-battery";

let folder: string;
let server: EndpointServer;
let log: EngineLog | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "omni-test-"));
  const view = { name: "my oracle", engine: "vllm", model: "m", state: "ready", restarts: 0 } as const;
  server = await startEndpoints(
    serviceEndpoints({
      supervisor: {
        services: () => [{ ...view, contextTokens: 1, parallel: 1, since: 0 }],
        log: () => log,
      },
      secrets: () => Promise.resolve([SECRET]),
    }),
  );
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  log = undefined;
});

async function ask(path = "my%20oracle/log"): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${server.url}/api/services/${path}`);
  return { status: response.status, body: await response.json() };
}
const written = (text: string): EngineLog => {
  const file = join(folder, "engine.log");
  writeFileSync(file, text);
  return { runtime: "process", lines: ["from memory"], file };
};

describe("the end of an engine's log", () => {
  it("is its file's, colours left out, as many lines as are wanted", async () => {
    log = written("one\n\u001B[31mtwo\u001B[0m\nthree\n");
    expect(await ask("my%20oracle/log?lines=2")).toEqual({
      status: 200,
      body: { lines: ["two", "three"], available: true },
    });
  });

  it("holds no secret that the node knows, and nothing that looks like one", async () => {
    log = written(
      `key is ${SECRET}\nHF_TOKEN=hf_abcdefghijklmnopqrstuv\nAuthorization: Bearer abcdefghijkl\nplain\n`,
    );
    const { body } = await ask();
    expect(body).toEqual({
      lines: ["key is ***", "HF_TOKEN=***", "Authorization: ***", "plain"],
      available: true,
    });
  });

  it("is bounded, whatever the engine wrote, and begins with a whole line", async () => {
    log = written(`${"x".repeat(99)}\n`.repeat(20_000));
    const { body } = await ask("my%20oracle/log?lines=2000");
    expect(Object(body).lines).toHaveLength(2000);
    log = written(`${"y".repeat(2_000_000)}\nlast\n`);
    expect((await ask()).body).toEqual({ lines: ["last"], available: true });
  });

  it("is what was heard of a container or a pod", async () => {
    log = { runtime: "docker", lines: ["from memory"] };
    expect((await ask()).body).toEqual({ lines: ["from memory"], available: true });
  });

  it.each<[string, EngineLog | undefined, RegExp]>([
    ["before its first start", undefined, /not been started/],
    ["where its engine runs elsewhere", { runtime: "remote", lines: [] }, /runs elsewhere/],
    [
      "where its file is gone",
      { runtime: "process", lines: [], file: "/nowhere/engine.log" },
      /cannot be read: ENOENT/,
    ],
  ])("is not there %s, and says why", async (_when, given, why) => {
    log = given;
    const { status, body } = await ask();
    expect([status, body]).toEqual([200, { lines: [], available: false, why: expect.stringMatching(why) }]);
  });

  it.each([
    ["nobody/log", 404, "service_not_found"],
    ["my%20oracle/metrics", 404, "unknown_action"],
    ["my%20oracle", 404, "unknown_action"],
    ["my%20oracle/log?lines=0", 400, "invalid_query"],
    ["my%20oracle/log?lines=9999", 400, "invalid_query"],
  ])("%s is %i", async (path, status, code) => {
    expect(await ask(path)).toMatchObject({ status, body: { error: { code } } });
  });
});
