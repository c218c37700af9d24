import { appendFileSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedHouse, check, type AttackedHouse } from "./attacked-house.ts";
import { fileHouse } from "./file-house.ts";

let house: AttackedHouse;

beforeAll(async () => {
  house = await attackedHouse();
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

describe("size", () => {
  it("a file of 10 GB is read in parts, and looked at briefly by a search", async () => {
    const path = join(house.base, "docs/huge.log");
    writeFileSync(path, "first line\n");
    truncateSync(path, 10 * 2 ** 30);
    appendFileSync(path, "\nlast line\n");
    const start = await house.call("read_file", { path: "docs/huge.log", length: 11 });
    const size = statSync(path).size;
    expect(start.text).toBe(`first line\n\n(bytes 0 to 11 of ${size}; go on with offset=11)`);
    expect((await house.call("read_file", { path: "docs/huge.log", offset: 11 })).text).toMatch(
      /no UTF-8 text \(10737418\d+ bytes\)/,
    );
    expect((await house.call("read_file", { path: "docs/huge.log", offset: -10 })).text).toContain(
      "last line\n",
    );
    const part = await house.call("read_binary", { path: "docs/huge.log" });
    expect(part.text).toContain("bytes 0 to 65536 of");
    expect(part.text.length).toBeLessThan(100_000);
    expect((await house.call("search_content", { path: "docs", query: "last line" })).text).toBe(
      "Nothing was found.",
    );
    await check(
      house,
      "edit_file",
      { path: "docs/huge.log", edits: [{ old_text: "a", new_text: "b" }] },
      /more than 65536 are not changed/,
    );
    await check(
      house,
      "write_file",
      { path: "docs/huge.log", content: "", overwrite: true },
      /more than 65536 are not changed/,
    );
    rmSync(path);
  });

  it("what is written is bounded, also what an edit would make of little", async () => {
    await check(
      house,
      "write_file",
      { path: "docs/big.txt", content: "é".repeat(40_000) },
      /would have 80000 bytes; at most 65536/,
    );
    writeFileSync(join(house.base, "docs/many.txt"), "a".repeat(60_000));
    const edits = [{ old_text: "a", new_text: "b".repeat(60_000), all: true }];
    await check(house, "edit_file", { path: "docs/many.txt", edits }, /more than 65536 bytes/);
    rmSync(join(house.base, "docs/many.txt"));
  });

  it("a folder of very many files, and very deep ones, are cut", async () => {
    await using other = await fileHouse();
    const many = join(other.base, "docs/many");
    mkdirSync(many);
    for (let n = 0; n < 10_020; n++) writeFileSync(join(many, `f${n}`), "");
    const listed = await other.call("list_directory", { path: "docs/many", limit: 10 });
    expect(listed.text).toContain("10 of 10000 entries");
    expect(listed.text).toContain("more than 10000 entries; the others were not looked at");
    expect(listed.text.split("\n")).toHaveLength(13);
    expect((await other.call("directory_tree", { path: "docs/many", limit: 20 })).text).toContain(
      "ends after 20 entries",
    );
    const deep = join(other.base, "docs/deep");
    mkdirSync(join(deep, ...Array.from({ length: 80 }, () => "d")), { recursive: true });
    expect((await other.call("search_files", { path: "docs/deep", pattern: "nothing" })).text).toContain(
      "deeper than 64",
    );
    const tree = await other.call("directory_tree", { path: "docs/deep", depth: 3 });
    expect(tree.text.split("\n")).toHaveLength(5);
  });

  it("expressions and globs that make other engines go back for ever take their time once", async () => {
    writeFileSync(join(house.base, "docs/as.txt"), `${"a".repeat(30_000)}b\n`);
    const evil = await house.call("search_content", {
      path: "docs",
      query: "^(a+)+$",
      regex: true,
      files: "as.txt",
    });
    expect(evil.text).toContain("docs/as.txt:1 (0): aaa");
    const none = await house.call("search_content", {
      path: "docs",
      query: "(a*)*(a|aa)+c",
      regex: true,
      files: "as.txt",
    });
    expect(none.text).toBe("Nothing was found.");
    const glob = `${"*a".repeat(100)}*b*c`;
    expect((await house.call("search_files", { path: "docs", pattern: glob })).text).toBe(
      "Nothing was found.",
    );
    const braces = "{a,b}".repeat(100);
    expect((await house.call("search_files", { path: "docs", pattern: braces })).text).toBe(
      "Nothing was found.",
    );
    for (const query of [
      "(?=a)",
      "(a)\\1",
      "(?<x>a)",
      "a{1000}",
      "(((a{100}){100}){100})",
      "[",
      "(",
      "*",
      "a)",
      "\\",
    ])
      await check(house, "search_content", { path: "docs", query, regex: true }, /The expression/);
    rmSync(join(house.base, "docs/as.txt"));
  });
});
