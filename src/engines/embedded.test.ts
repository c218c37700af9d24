import { describe, expect, test } from "vitest";
import type { PlannedService } from "../plan/plan.ts";
import { embedded, embeddedCommand } from "./embedded.ts";

const service: PlannedService = {
  name: "oracle",
  engine: { name: "embedded", version: "1" },
  model: { name: "tiny", path: "/models/tiny.gguf", sizeBytes: 1 },
  devices: ["cpu"],
  contextTokens: 4096,
  parallel: 4,
  queueLimit: 16,
  threads: 0,
  memory: [],
  restart: { restarts: 3, window: 60_000, backoffMin: 100, backoffMax: 1000 },
  loadTimeout: 9000,
  extraArguments: ["--grace", "500"],
};

describe("the command line", () => {
  test("says everything that the plan decided, and where to listen", () => {
    const command = embeddedCommand(service, { kind: "unix", path: "/run/oracle.sock" });
    expect(command[0]).toBe(process.execPath);
    expect(command[1]).toMatch(/src[/\\]embedded[/\\]main\.ts$/);
    expect(command.slice(2).join(" ")).toBe(
      "--model /models/tiny.gguf --alias tiny --socket /run/oracle.sock --context 4096 --parallel 4 --queue 16 --threads auto --grace 500",
    );
  });

  test("uses a port where there are no sockets, and the threads given", () => {
    const address = { kind: "tcp", host: "127.0.0.1", port: 4000 } as const;
    const text = embeddedCommand({ ...service, threads: 3 }, address).join(" ");
    expect(text).toContain("--host 127.0.0.1 --port 4000");
    expect(text).toContain("--threads 3");
  });
});

describe("health", () => {
  test.each([
    [200, `{"status":"ok"}`, { state: "ready" }],
    [503, `{"status":"loading","progress":0.25}`, { state: "loading", progress: 0.25 }],
    [503, `{"status":"loading"}`, { state: "loading" }],
    [
      503,
      `{"status":"failed","error":{"code":"model.truncated","message":"Cut short.","hint":"Fetch it again."}}`,
      {
        state: "failed",
        failure: {
          code: "model.truncated",
          message: "Cut short.",
          hint: "Fetch it again.",
          recoverable: false,
        },
      },
    ],
    [
      503,
      `{"status":"failed","error":{"code":"not.registered","message":"Odd."}}`,
      { state: "failed", failure: { code: "engine.load-failed", message: "Odd.", recoverable: true } },
    ],
    [404, "Not Found", { state: "unreachable", reason: "GET /health answered 404 with Not Found" }],
    [200, "{", { state: "unreachable" }],
  ])("%d %s", (status, body, expected) => {
    expect(embedded.readHealth(status, body)).toMatchObject(expected);
  });
});

const line = (code: string): string =>
  JSON.stringify({ event: "failed", code, message: "What it said.", hint: "Do this." });

describe("an exit", () => {
  test("is read from the engine's own last line", () => {
    const failure = embedded.classifyExit({ code: 1, signal: null }, [
      "noise",
      line("engine.load-failed"),
      "x",
    ]);
    expect(failure).toEqual({
      code: "engine.load-failed",
      message: "What it said.",
      hint: "Do this.",
      recoverable: true,
    });
  });

  test("with code 2 or with a code of bad input is final", () => {
    const byExit = embedded.classifyExit({ code: 2, signal: null }, [line("engine.load-failed")]);
    const byCode = embedded.classifyExit({ code: 1, signal: null }, [line("model.not-gguf")]);
    const silent = embedded.classifyExit({ code: 2, signal: null }, ["bad --context"]);
    expect([byExit, byCode, silent].map(({ recoverable }) => recoverable)).toEqual([false, false, false]);
    expect(silent.message).toContain("bad --context");
  });

  test.each([
    ["SIGKILL", "engine.killed", "out-of-memory killer"],
    ["SIGTERM", "engine.killed", "from outside Omni"],
    ["SIGSEGV", "engine.crashed", "memory fault in native code"],
    ["SIGABRT", "engine.crashed", "last line: GGML_ASSERT"],
    ["SIGILL", "engine.crashed", "an instruction this processor does not have"],
    ["SIGUSR2", "engine.crashed", "crashed with SIGUSR2"],
  ] as const)("by %s is %s", (signal, code, words) => {
    const failure = embedded.classifyExit({ code: null, signal }, ["GGML_ASSERT", "  "]);
    expect(failure).toMatchObject({ code, recoverable: true });
    expect(failure.message).toContain(words);
  });

  test("with code 0 is a crash: a server has no reason to end", () => {
    expect(embedded.classifyExit({ code: 0, signal: null }, [])).toMatchObject({
      code: "engine.crashed",
      message: "The embedded engine ended by itself with exit code 0 without a word.",
      recoverable: true,
    });
  });
});
