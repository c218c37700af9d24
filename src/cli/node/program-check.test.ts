import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withGgufFiles } from "../../engines/start/gguf-folder.ts";
import { checkProgram } from "./program-check.ts";

let root = "";
let made = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "omni-program-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const HELP = `-h,    --help                            print usage and exit
-m,    --model FNAME                     model path
-c,    --ctx-size N                      size of the prompt context
-ngl,  --n-gpu-layers N                  layers in VRAM
--host HOST                              address to listen on
--port PORT                              port to listen on`;

/** A program of its own folder, that writes down how it was asked. */
function program(body: string): { readonly path: string; readonly cacheFolder: string; asked(): string[] } {
  const folder = join(root, String((made += 1)));
  const log = join(folder, "asked");
  const path = join(folder, "llama-server");
  mkdirSync(folder);
  writeFileSync(path, `#!/bin/sh\necho "$*" >>${log}\n${body}\n`);
  chmodSync(path, 0o755);
  return {
    path,
    cacheFolder: join(folder, "programs"),
    asked: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  };
}

const SERVER = `case $1 in
--version) echo "version: 4242 (abcdef0)" >&2 ;;
--help) cat <<'END'
${HELP}
END
esac`;

const check = (
  { path, cacheFolder }: ReturnType<typeof program>,
  words: readonly string[],
  patience?: number,
): Promise<void> =>
  checkProgram({
    service: "chat",
    kind: "llama.cpp",
    command: [path, ...words],
    cacheFolder,
    ...(patience === undefined ? {} : { patience }),
  });

test("a flag that the program does not know is named with the version and the nearest that it knows", async () => {
  const server = program(SERVER);
  await check(server, ["--model", "/m.gguf", "--ctx-size", "4096"]);
  await expect(check(server, ["--model", "/m.gguf", "--ctx-sizes", "4096"])).rejects.toMatchObject({
    code: "engine.unknown-flag",
    message: expect.stringMatching(
      new RegExp(
        `^services\\.chat: ${server.path} \\S*4242\\S* does not know --ctx-sizes \\(it knows --ctx-size\\)\\.$`,
      ),
    ),
  });
});

test("a program is asked once, whoever asks, and again when its file has changed", async () => {
  const server = program(SERVER);
  await Promise.all([check(server, ["--port", "1"]), check(server, ["--port", "2"])]);
  await check(server, ["--host", "::1"]);
  expect(server.asked()).toEqual(["--version", "--help"]);
  writeFileSync(server.path, `${readFileSync(server.path, "utf8")}\n# another build\n`);
  await check(server, ["--port", "1"]);
  expect(server.asked()).toHaveLength(4);
});

test("one that prints nothing, or does not answer, or is not there stops no start", async () => {
  await check(program("exit 3"), ["--made-up"]);
  const silent = program("exec sleep 60");
  const began = performance.now();
  await check(silent, ["--made-up"], 300);
  expect(performance.now() - began).toBeLessThan(10_000);
  // It is not asked a second thing, and its silence is not kept for the next run.
  expect(silent.asked()).toEqual(["--version"]);
  expect(existsSync(silent.cacheFolder)).toBe(false);
  await check({ ...silent, path: join(root, "nowhere") }, ["--made-up"]);
});

test("behind the shell that looks for a model's file it is the engine that is asked; an owner's shell is left alone", async () => {
  const server = program(SERVER);
  const wrapped = withGgufFiles([server.path, "--model", "/folder", "--flesh"], ["/folder"]);
  expect(wrapped[0]).toBe("/bin/sh");
  await expect(
    checkProgram({ service: "chat", kind: "llama.cpp", command: wrapped, cacheFolder: server.cacheFolder }),
  ).rejects.toThrow("does not know --flesh");
  const marker = join(root, "ran");
  const command = ["/bin/sh", "-c", `touch ${marker}`] as const;
  await checkProgram({ service: "chat", kind: "llama.cpp", command, cacheFolder: server.cacheFolder });
  expect(existsSync(marker)).toBe(false);
});
