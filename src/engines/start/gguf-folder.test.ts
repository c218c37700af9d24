import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withGgufFiles } from "./gguf-folder.ts";

const run = promisify(execFile);
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "omni gguf $(touch x)'-"));
});
afterEach(() => rm(folder, { recursive: true }));

const put = async (...path: string[]): Promise<string> => {
  const file = join(folder, ...path);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, "GGUF");
  return file;
};

/** Runs the command with a program that prints its own words, one a line. */
async function words(args: readonly string[], paths: readonly string[]): Promise<string[]> {
  const print = ["/bin/sh", "-c", String.raw`printf '%s\0' "$@"`, "llama-server"];
  const [program, ...rest] = withGgufFiles(["/usr/bin/env", ...print, ...args], paths);
  const { stdout } = await run(program, rest);
  return stdout.split("\0").slice(0, -1);
}

test("a model that is a file needs no shell", () => {
  expect(withGgufFiles(["llama-server", "--model", "/m.GGUF"], ["/m.GGUF", undefined, ""])).toEqual([
    "llama-server",
    "--model",
    "/m.GGUF",
  ]);
});

test("the first part is taken, not a later one and not a projector", async () => {
  await put("Q4", "model-00002-of-00003.gguf");
  const first = await put("Q4", "model-00001-of-00003.gguf");
  const projector = await put("Q4", "a-mmproj-f16.gguf");
  await put("README.md");
  expect(await words(["--model", folder, "--port", "1", "--mmproj", folder], [folder])).toEqual([
    "--model",
    first,
    "--port",
    "1",
    "--mmproj",
    projector,
  ]);
});

test("files above go before files below, and each model is looked for in its own folder", async () => {
  await put("deep", "er", "a.gguf");
  const top = await put("z.gguf");
  const draft = await put("draft", "small.gguf");
  const below = join(folder, "draft");
  expect(await words(["--model", `${folder}/`, "--model-draft", below], [folder, below])).toEqual([
    "--model",
    top,
    "--model-draft",
    draft,
  ]);
});

test("all other words arrive as they are", async () => {
  await put("m.gguf");
  const hostile = ["$(reboot)", "`id`", "a b", "'\"", "*", "", "-n", "--", "line\nbreak", "\\", "ünï"];
  const seen = await words(["--model", folder, ...hostile], [folder]);
  expect(seen.slice(2)).toEqual(hostile);
});

test("an empty folder ends the start with a sentence", async () => {
  await expect(words(["--model", folder], [folder])).rejects.toMatchObject({
    code: 66,
    stderr: expect.stringContaining(`omni: no GGUF file for --model in ${folder}: is it downloaded`),
  });
});
