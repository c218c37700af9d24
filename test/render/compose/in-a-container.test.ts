import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandOf } from "../../../src/render/compose/environment.ts";
import { healthcheckOf } from "../../../src/render/compose/healthcheck.ts";
import { interpolated } from "./interpolated.ts";

const SH = "/bin/sh";

interface Ended {
  readonly code: number;
  readonly output: string;
}

const run = (words: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> =>
  new Promise((done) => {
    const [program = "", ...rest] = words;
    execFile(program, rest, { env: { ...env }, encoding: "utf8" }, (error, stdout) => {
      done({ code: error === null ? 0 : 1, output: stdout });
    });
  });

/** The system's own program: shims of version managers need more than themselves. */
const pathOf = (tool: string): string =>
  spawnSync(SH, ["-c", `command -v ${tool}`], {
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin" },
  }).stdout.trim();

const words = (value: unknown): readonly string[] => {
  const back = interpolated(value);
  return Array.isArray(back) ? back.map(String) : [];
};

const start = { environment: {}, readyPath: "/health", livePath: "/health" };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-compose-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("what runs inside a container, in a real shell", () => {
  it.each(["curl", "python3", "wget"])(
    "the health check by %s alone tells ready from loading (passes where the tool is missing)",
    async (tool) => {
      const found = pathOf(tool);
      let status = 200;
      const server = createServer((_, response) => response.writeHead(status).end("{}")).listen(
        0,
        "127.0.0.1",
      );
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const { test } = healthcheckOf({
        start: { ...start, command: ["x"] },
        port,
        loadTimeout: 1000,
        name: "s",
      });
      if (found !== "") writeFileSync(join(folder, tool), `#!${SH}\nexec ${found} "$@"\n`, { mode: 0o755 });
      const [kind, script = ""] = words(test);
      const ask = () => run([SH, "-c", script], { PATH: folder, http_proxy: "http://127.0.0.1:9" });
      const ready = await ask();
      status = 503;
      const loading = await ask();
      server.close();
      expect(kind).toBe("CMD-SHELL");
      // A proxy that the environment names knows nothing of the container's own loopback.
      expect(ready.code === 0).toBe(found !== "");
      expect(loading.code).not.toBe(0);
    },
  );

  it("a secret from a file is in the engine's environment, whatever is in it, and the engine is the process itself", async () => {
    const secret = 'a\'b $HOME "q" \\ `id`';
    writeFileSync(join(folder, "token"), `${secret}\n`);
    const { entrypoint, command } = commandOf(
      { name: "s", start: { ...start, command: [SH, "-c", 'printf %s "$TOKEN|$1"', "x", "a b$c"] } },
      { environment: {}, secrets: [], fromFiles: [{ variable: "TOKEN", path: join(folder, "token") }] },
    );
    const all = [...words(entrypoint), ...words(command)];
    const { output } = await run(all, { PATH: process.env["PATH"] ?? "" });
    expect(output).toBe(`${secret}|a b$c`);
    rmSync(join(folder, "token"));
    expect((await run(all, { PATH: process.env["PATH"] ?? "" })).code).toBe(1);
  });
});
