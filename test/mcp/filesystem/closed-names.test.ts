import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedHouse, check, CHANGERS, type AttackedHouse } from "./attacked-house.ts";
import { contextOf, SECRET } from "./file-house.ts";

let house: AttackedHouse;

beforeAll(async () => {
  house = await attackedHouse({ deny: ["private/**", "*.bak"] });
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

/** What is not there for clients, whatever it is called. */
const DENIED: readonly (readonly [name: string, path: string])[] = [
  ["environment file", "docs/.env"],
  ["in other case", "docs/.ENV"],
  ["in other case, in a folder", "docs/sub/.eNv.LOCAL"],
  ["fullwidth letters", "docs/.ｅｎｖ"],
  ["long s as s", "docs/.ſſh/id_ed25519"],
  ["sharp s as ss", "docs/.ßh/id_ed25519"],
  ["Kelvin sign as k", "docs/x.\u212aey"],
  ["invisible joiner", "docs/.e\u200dnv"],
  ["soft hyphen", "docs/.en\u00adv"],
  ["stream of NTFS", "docs/.env::$DATA"],
  ["folder of keys", "docs/.ssh"],
  ["key in it", "docs/.ssh/id_ed25519"],
  ["what is not there, in it", "docs/.ssh/known_hosts"],
  ["certificate's key by ending", "docs/server.PEM"],
  ["path of two names", "docs/.docker/config.json"],
  ["the owner's folder", "docs/private"],
  ["beneath the owner's folder", "docs/private/plan.md"],
  ["beneath it in other case", "docs/PRIVATE/PLAN.md"],
  ["the owner's ending", "docs/old.BAK"],
  ["repository", "docs/.git/config"],
  ["staged file of the server", "docs/.omni-0123456789abcdef.tmp"],
];

describe("what is closed is not there, for reading and for writing", () => {
  it.each(DENIED)("%s", async (_name, path) => {
    for (const tool of [
      "read_file",
      "read_binary",
      "stat",
      "list_directory",
      "directory_tree",
      "list_versions",
    ]) {
      const closed = await house.call(tool, { path });
      expect(closed.text, tool).toBe(
        `There is no ${JSON.stringify(path)}. list_directory shows what is there.`,
      );
      expect(closed.refused).toBe(true);
    }
    for (const [tool, args] of CHANGERS) await check(house, tool, args(path), /never touches/);
    await check(house, "make_directory", { path: `${path}/x` }, /never touches/);
  });

  it("in the words for what is really not there", async () => {
    const { text } = await house.call("read_file", { path: "docs/nothing" });
    expect(text).toBe('There is no "docs/nothing". list_directory shows what is there.');
    expect((await house.call("read_file", { path: "docs/nothing/in/it" })).text).toBe(
      text.replace("nothing", "nothing/in/it"),
    );
  });

  it("neither lists, trees nor searches show it, by name or by content", async () => {
    const seen = await Promise.all([
      house.call("list_directory", { path: "docs" }),
      house.call("directory_tree", { path: "docs", depth: 10 }),
      house.call("search_files", { path: "docs", pattern: "**" }),
      house.call("search_files", { path: "docs", pattern: ".e*" }),
      house.call("search_content", { path: "docs", query: SECRET }),
      house.call("search_content", { path: "docs", query: "TOP.SECRET", regex: true, ignore_case: true }),
    ]);
    for (const { text } of seen) {
      expect(text).not.toMatch(/\.env|\.ssh|\.PEM|config\.json|private|plan\.md|TOP-SECRET/i);
    }
    expect(seen[4]?.text).toBe("Nothing was found.");
  });

  it("a folder that holds it is not moved, so that no rule by path is escaped", async () => {
    mkdirSync(join(house.base, "docs/outer/private"), { recursive: true });
    writeFileSync(join(house.base, "docs/outer/x.bak"), SECRET);
    await check(house, "move", { from: "docs/outer", to: "docs/open" }, /cannot be moved as a whole/);
  });

  it("resources, completion and watches know nothing of it", async () => {
    for (const uri of [
      "files://docs/.env",
      "files://docs/%2eenv",
      "files://docs/private/plan.md",
      "files://docs/.s%73h/id_ed25519",
    ]) {
      await expect(house.server.readResource(uri, contextOf())).rejects.toMatchObject({
        code: -32602,
        data: { uri },
      });
      await expect(house.server.watch(uri)).rejects.toMatchObject({ code: -32602 });
    }
    const complete = (value: string) =>
      house.server.complete(
        { ref: { type: "ref/resource", uri: "files://docs/{+path}" }, argument: { name: "path", value } },
        contextOf(),
      );
    expect((await complete(".")).completion.values).toEqual([".docker/"]);
    expect((await complete(".ssh/")).completion.values).toEqual([]);
    expect((await complete("../")).completion.values).toEqual([]);
    expect((await complete("link-dir/")).completion.values).toEqual([]);
    const listed = await house.server.resources(contextOf().signal);
    expect(listed.map(({ uri }) => uri)).toEqual([
      "files://docs/a.md",
      "files://docs/hard.txt",
      "files://ro/fixed.txt",
    ]);
  });
});
