import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ProviderChange } from "../../../src/mcp/provider.ts";
import { contextOf, fileHouse, type FileHouse } from "./file-house.ts";

let house: FileHouse;
const at = (path: string): string => join(house.base, path);
const textOf = async (tool: string, args: Readonly<Record<string, unknown>>): Promise<string> =>
  (await house.call(tool, args)).text;

beforeAll(async () => {
  house = await fileHouse();
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

const READING = [
  "list_roots",
  "list_directory",
  "directory_tree",
  "stat",
  "read_file",
  "read_binary",
  "read_many",
  "search_files",
  "search_content",
];
const CHANGING = ["write_file", "edit_file", "move", "make_directory", "list_versions", "restore_version"];

it("offers what changes only where a root is writable, and says of every tool what it does", async () => {
  const { signal } = contextOf();
  const all = await house.server.tools(signal);
  expect(all.map(({ name }) => name)).toEqual([...READING, ...CHANGING]);
  await using readOnly = await fileHouse({ roots: { ro: { path: at("ro"), writable: false } } });
  expect((await readOnly.server.tools(signal)).map(({ name }) => name)).toEqual(READING);
  await expect(readOnly.call("write_file", { path: "ro/x", content: "" })).rejects.toMatchObject({
    code: -32602,
  });
  for (const { name, annotations, inputSchema } of all) {
    expect(annotations).toMatchObject({
      readOnlyHint: READING.includes(name) || name === "list_versions",
      destructiveHint: ["write_file", "edit_file", "move", "restore_version"].includes(name),
      openWorldHint: false,
    });
    expect(inputSchema).toMatchObject({ type: "object", additionalProperties: false });
    for (const property of Object.values(inputSchema.properties ?? {}))
      expect(property).toHaveProperty("description");
  }
  expect((await house.server.offers(signal)).instructions).toContain("- docs (writable)\n- ro (read-only)");
  expect(await textOf("list_roots", {})).toBe("docs  writable\nro  read-only");
});

it("lists page by page, in order, with types and sizes", async () => {
  mkdirSync(at("docs/pages"));
  for (const name of ["b.txt", "a.txt", "Z.txt"]) writeFileSync(at(`docs/pages/${name}`), name);
  writeFileSync(at("docs/pages/bad\\name"), "");
  const first = await textOf("list_directory", { path: "docs/pages/", limit: 2 });
  expect(first).toMatch(
    /^docs\/pages: 2 of 3 entries\nfile +5 {2}\d{4}-\d\d-\d\dT[\d:]+Z {2}Z\.txt\nfile +5 .* a\.txt\n\(1 more; go on with offset=2\)/,
  );
  expect(first).toContain("(1 more have names that no path here can hold)");
  expect(await textOf("list_directory", { path: "docs/pages", offset: 2 })).toMatch(
    /1 of 3 entries\nfile +5 .* b\.txt/,
  );
  const docs = await textOf("list_directory", { path: "docs" });
  expect(docs).toMatch(/^folder +- .* sub\/$/m);
  expect(docs).toMatch(/^link +- .* link-dir$/m);
  expect(docs).toMatch(/^other +- .* pipe$/m);
});

it("parts of a text are whole lines and characters, and joined are the file", async () => {
  const text = Array.from({ length: 200 }, (_, n) => `line ${n} — größe 😀\n`).join("");
  writeFileSync(at("docs/long.txt"), text);
  let joined = "";
  for (let offset = 0, more = true; more;) {
    const part = await textOf("read_file", { path: "docs/long.txt", offset, length: 1000 });
    const next = /\n\(bytes \d+ to (\d+) of \d+; go on with offset=\d+\)$/.exec(part);
    more = next !== null;
    offset = Number(next?.[1]);
    joined += part.replace(/\n\(bytes \d+ to \d+[^)]*\)$/, "");
  }
  expect(joined).toBe(text);
  writeFileSync(at("docs/one-line.txt"), "😀".repeat(100));
  const middle = await textOf("read_file", { path: "docs/one-line.txt", offset: 2, length: 10 });
  expect(middle).toBe("😀😀\n(bytes 4 to 12 of 400; go on with offset=12)");
  expect(await textOf("read_file", { path: "docs/one-line.txt", offset: 500 })).toContain(
    "nothing from byte 500; the file has 400 bytes",
  );
  expect(await textOf("read_file", { path: "docs/one-line.txt", offset: -4 })).toContain("😀");
});

it("reads pictures as such, other bytes as base64, several files within one bound", async () => {
  const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
  writeFileSync(at("docs/x.png"), png);
  const picture = await house.call("read_binary", { path: "docs/x.png" });
  expect(picture.result.content).toEqual([
    { type: "image", mimeType: "image/png", data: png.toString("base64") },
  ]);
  expect(await textOf("read_file", { path: "docs/x.png" })).toContain(
    "is no UTF-8 text (16 bytes). read_binary",
  );
  writeFileSync(at("docs/x.bin"), Buffer.from([1, 0, 2, 3]));
  const part = await house.call("read_binary", { path: "docs/x.bin", offset: 1, length: 4 });
  expect(part.result.content[1]).toMatchObject({
    resource: { uri: "files://docs/x.bin", blob: "AAID", mimeType: "application/octet-stream" },
  });
  writeFileSync(at("docs/fat.txt"), `${"x".repeat(99)}\n`.repeat(700));
  const many = await house.call("read_many", {
    paths: ["docs/a.md", "docs/.env", "docs/x.bin", "docs/fat.txt", "docs/a.md"],
  });
  const texts = many.text.split("== ").map((text) => text.slice(0, 60));
  expect(texts[1]).toBe("docs/a.md\nalpha\nbeta\n\n");
  expect(texts[2]).toContain('There is no "docs/.env"');
  expect(texts[3]).toContain("No UTF-8 text");
  expect(many.text).toContain("cut after 65500 of 70000 bytes; read_file goes on with offset=65500");
  expect(many.text.length).toBeLessThan(67_000);
});

it("a search by content says where, so that reading goes on there", async () => {
  const found = await textOf("search_content", { path: "docs", query: "BETA", ignore_case: true });
  expect(found).toBe("docs/a.md:2 (6): beta\ndocs/sub/inner.txt:1 (0): inner beta");
  expect(await textOf("read_file", { path: "docs/a.md", offset: 6 })).toBe(
    "beta\n\n(bytes 6 to 11, the end)",
  );
  expect(await textOf("search_content", { path: "docs", query: "^b..a$", regex: true, files: "*.MD" })).toBe(
    "docs/a.md:2 (6): beta",
  );
  expect(await textOf("search_content", { path: "docs", query: "a", limit: 1 })).toContain(
    "there are more; the first 1 are shown",
  );
  expect(await textOf("search_files", { path: "docs", pattern: "sub/**/*.TXT" })).toBe("docs/sub/inner.txt");
  expect(await textOf("search_files", { path: "docs/sub", pattern: "inner.*" })).toBe("docs/sub/inner.txt");
});

it("an edit shows its difference, and in a dry run nothing else happens", async () => {
  writeFileSync(at("docs/edit.txt"), "one\ntwo\nthree\ntwo\n");
  chmodSync(at("docs/edit.txt"), 0o640);
  const before = statSync(at("docs/edit.txt"), { bigint: true });
  const edits = [{ old_text: "one\ntwo", new_text: "$& 1\n$1" }];
  const dry = await textOf("edit_file", { path: "docs/edit.txt", edits, dry_run: true });
  expect(dry).toContain(
    "nothing was changed:\n--- docs/edit.txt\n+++ docs/edit.txt\n@@ -1,4 +1,4 @@\n-one\n-two\n+$& 1\n+$1\n three\n two\n",
  );
  const after = statSync(at("docs/edit.txt"), { bigint: true });
  expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  expect(await textOf("list_versions", { path: "docs/edit.txt" })).toBe(
    "No version of docs/edit.txt is kept.",
  );
  expect(await textOf("edit_file", { path: "docs/edit.txt", edits })).toContain("was changed:");
  expect(readFileSync(at("docs/edit.txt"), "utf8")).toBe("$& 1\n$1\nthree\ntwo\n");
  expect(statSync(at("docs/edit.txt")).mode & 0o7777).toBe(0o640);
  const twice = await house.call("edit_file", {
    path: "docs/edit.txt",
    edits: [
      { old_text: "three", new_text: "3" },
      { old_text: "one", new_text: "1" },
    ],
  });
  expect(twice).toMatchObject({
    refused: true,
    text: expect.stringContaining("Edit 2: its old text is not in the file"),
  });
  expect(readFileSync(at("docs/edit.txt"), "utf8")).toContain("three");
  const o = { path: "docs/edit.txt", edits: [{ old_text: "t", new_text: "T" }] };
  expect(await textOf("edit_file", o)).toContain("is in the file 2 times");
  expect(await textOf("edit_file", { ...o, edits: [{ old_text: "t", new_text: "T", all: true }] })).toContain(
    "+Three",
  );
});

it("an edit keeps a file's line breaks of Windows", async () => {
  writeFileSync(at("docs/crlf.txt"), "a\r\nb\r\nc\r\n");
  await house.call("edit_file", {
    path: "docs/crlf.txt",
    edits: [{ old_text: "a\nb", new_text: "x\ny\nz" }],
  });
  expect(readFileSync(at("docs/crlf.txt"), "utf8")).toBe("x\r\ny\r\nz\r\nc\r\n");
});

it("keeps as many versions as it shall, and puts one back", async () => {
  const write = (content: string) =>
    house.call("write_file", { path: "docs/v.txt", content, overwrite: true });
  for (const content of ["1", "22", "333", "4444", "55555"]) await write(content);
  const listed = await textOf("list_versions", { path: "docs/v.txt" });
  expect(listed.split("\n").map((line) => line.replace(/replaced \S+/, "replaced"))).toEqual([
    "4  replaced  4 bytes",
    "3  replaced  3 bytes",
    "2  replaced  2 bytes",
  ]);
  expect(await textOf("restore_version", { path: "docs/v.txt", version: 3 })).toContain(
    "holds version 3 again (3 bytes)",
  );
  expect(readFileSync(at("docs/v.txt"), "utf8")).toBe("333");
  expect(await textOf("restore_version", { path: "docs/v.txt", version: 1 })).toContain("has no version 1");
  expect(statSync(at("state/versions/docs")).mode & 0o777).toBe(0o700);
});

it("moves, and gives no file up without its version", async () => {
  writeFileSync(at("docs/from.txt"), "from");
  writeFileSync(at("docs/to.txt"), "to");
  expect(await textOf("move", { from: "docs/from.txt", to: "docs/to.txt" })).toContain("is there already");
  expect(await textOf("move", { from: "docs/from.txt", to: "docs/to.txt", overwrite: true })).toBe(
    "docs/from.txt is now docs/to.txt.",
  );
  expect(readFileSync(at("docs/to.txt"), "utf8")).toBe("from");
  expect(await textOf("list_versions", { path: "docs/to.txt" })).toMatch(/^1 {2}replaced .* 2 bytes$/);
  expect(await textOf("make_directory", { path: "docs/new/in/it" })).toBe("docs/new/in/it was made.");
  expect(await textOf("make_directory", { path: "docs/new/in/it" })).toBe(
    "docs/new/in/it was there already.",
  );
  expect(await textOf("move", { from: "docs/to.txt", to: "docs/new/to.txt" })).toContain(
    "is now docs/new/to.txt",
  );
  expect(await textOf("move", { from: "docs/new", to: "docs/newer" })).toContain("is now docs/newer");
  expect(await textOf("directory_tree", { path: "docs/newer", depth: 8 })).toBe(
    "docs/newer/\n  in/\n    it/\n  to.txt",
  );
});

it("changes that come at once come one after the other, and none is lost", async () => {
  writeFileSync(at("docs/count.txt"), "start\n");
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      house.call("edit_file", {
        path: "docs/count.txt",
        edits: [{ old_text: "start\n", new_text: `start\n${n}\n` }],
      }),
    ),
  );
  expect(outcomes.filter(({ refused }) => refused)).toEqual([]);
  expect(readFileSync(at("docs/count.txt"), "utf8").split("\n")).toHaveLength(14);
  const news = await Promise.all(
    [1, 2, 3].map((n) => house.call("write_file", { path: "docs/once.txt", content: String(n) })),
  );
  expect(news.map(({ refused }) => refused)).toEqual([false, true, true]);
});

it("files are resources, with templates, completion and notice of changes", async () => {
  const context = contextOf();
  expect(await house.server.templates(context.signal)).toMatchObject([
    { uriTemplate: "files://docs/{+path}" },
    { uriTemplate: "files://ro/{+path}" },
  ]);
  writeFileSync(at("docs/ä b#.md"), "# x\n");
  const uri = "files://docs/%C3%A4%20b%23.md";
  expect(await house.server.readResource(uri, context)).toEqual({
    contents: [{ uri, mimeType: "text/markdown", text: "# x\n" }],
  });
  const { completion } = await house.server.complete(
    { ref: { type: "ref/resource", uri: "files://docs/{+path}" }, argument: { name: "path", value: "sub/" } },
    context,
  );
  expect(completion.values).toEqual(["sub/deep/", "sub/inner.txt"]);
  const changes: ProviderChange[] = [];
  const told = new Promise<void>((done) => {
    house.server.onChange((change) => {
      changes.push(change);
      done();
    });
  });
  await house.server.watch(uri);
  expect(house.server.view().connections).toBe(1);
  writeFileSync(at("docs/other.md"), "not this one");
  await house.call("write_file", { path: "docs/ä b#.md", content: "# y\n", overwrite: true });
  await told;
  expect(changes).toEqual([{ kind: "updated", uri }]);
  await house.server.unwatch(uri);
  expect(house.server.view()).toMatchObject({ state: "ready", transport: "filesystem", connections: 0 });
});

it("watches are bounded, and a server that has ended says so", async () => {
  await using other = await fileHouse();
  for (let n = 0; n < 257; n++) writeFileSync(join(other.base, `docs/w${n}`), "");
  for (let n = 0; n < 256; n++) await other.server.watch(`files://docs/w${n}`);
  await expect(other.server.watch("files://docs/w256")).rejects.toThrow(/256 files are watched already/);
  await other.server.close();
  expect(other.server.view()).toMatchObject({ state: "closed", connections: 0 });
  await expect(other.server.tools(contextOf().signal)).rejects.toMatchObject({ code: "mcp.closed" });
  await expect(other.call("read_file", { path: "docs/a.md" })).rejects.toMatchObject({ code: "mcp.closed" });
});
