import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findModels, uniqueName, usualFolders } from "../../src/cli/init-models.ts";
import { tinyGguf } from "../fakes/tiny-gguf.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "omni-find-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, bytes: string | Buffer = tinyGguf()): string => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), bytes);
  return path;
};

const find = async (...folders: string[]) => {
  const found = await findModels(
    (folders.length === 0 ? ["."] : folders).map((path) => ({ path: join(root, path), deep: true })),
  );
  return {
    ...found,
    models: found.models.map(({ name, path, shape, fault }) => [
      name,
      relative(root, path),
      shape?.architecture ?? fault,
    ]),
  };
};

it("finds models in the layout of the hub's cache, where names are links to numbered files", async () => {
  put("hub/models--me--Chat-0.5B-GGUF/blobs/abc");
  const snapshot = "hub/models--me--Chat-0.5B-GGUF/snapshots/1f00";
  for (const revision of ["1f00", "2f00"]) {
    mkdirSync(join(root, dirname(snapshot), revision), { recursive: true });
    symlinkSync("../../blobs/abc", join(root, dirname(snapshot), revision, "chat.gguf"));
  }
  expect((await find()).models).toEqual([["chat", `${snapshot}/chat.gguf`, "llama"]]);
});

it("takes shards for one model, and says which is missing", async () => {
  for (const number of [1, 2])
    put(`whole/big-0000${number}-of-00002.gguf`, tinyGguf({ metadata: { "split.count": 2 } }));
  put("broken/part-00002-of-00003.gguf");
  const { models } = await find();
  expect(models.map(([name]) => name)).toEqual(["part", "big"]);
  expect(models[0]?.[2]).toContain("part-00001-of-00003.gguf");
  expect(models[1]?.[1]).toBe("whole/big-00001-of-00002.gguf");
});

it("leaves out projectors, hidden folders and what is no file, and follows links round a circle once", async () => {
  put("a/Model.GGUF");
  put("a/mmproj-model-f16.gguf");
  put(".hidden/x.gguf");
  mkdirSync(join(root, "a/folder.gguf"));
  symlinkSync("..", join(root, "a/loop"));
  symlinkSync("/nonexistent", join(root, "a/gone.gguf"));
  expect((await find(".", "a")).models).toEqual([["Model", "a/Model.GGUF", "llama"]]);
});

it("gives two files of one name two names, and keeps a fault beside its model", async () => {
  put("x/chat.gguf");
  put("y/chat.gguf", "not a model at all, but long enough to have a header");
  const { models } = await find();
  expect(models.map(([name]) => name)).toEqual(["chat", "chat-2"]);
  expect(models[1]?.[2]).toMatch(/starts with the bytes/);
});

it("names the folders that are not there", async () => {
  put("here/a.gguf");
  expect(await find("here", "nowhere", "here/a.gguf")).toMatchObject({
    missing: [join(root, "nowhere"), join(root, "here/a.gguf")],
  });
});

it("looks where programs keep models, in the folders that their variables name", () => {
  const usual = usualFolders({ LLAMA_CACHE: "/l", HF_HOME: "/hf" }, "/home/me").map(({ path }) => path);
  expect(usual).toContain("/l");
  expect(usual).toContain("/hf/hub");
  expect(usual).toContain("/home/me/.lmstudio/models");
  expect(usualFolders({}, "/home/me").map(({ path }) => path)).toContain("/home/me/.cache/llama.cpp");
});

it("a taken name gets a number within the length that a name may have", () => {
  const taken = new Set(["a".repeat(10)]);
  expect(uniqueName("a".repeat(10), taken, 10)).toBe(`${"a".repeat(8)}-2`);
  expect(uniqueName("b", taken)).toBe("b");
});
