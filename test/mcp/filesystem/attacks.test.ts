import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attackedHouse, check, TAKERS, type AttackedHouse } from "./attacked-house.ts";
import { contextOf, fileHouse, SECRET } from "./file-house.ts";

let house: AttackedHouse;

beforeAll(async () => {
  house = await attackedHouse();
});

afterAll(async () => {
  await house[Symbol.asyncDispose]();
});

type Args = Readonly<Record<string, unknown>>;
const LONG = "x".repeat(256);

/** Paths that mean something else to some system, or leave the root; each is given to every tool that takes a path. */
const PATHS: readonly (readonly [name: string, path: string, words: RegExp])[] = [
  ["parent", "docs/../outside/secret.txt", /part "\.\."/],
  ["parent at the end", "docs/sub/..", /part "\.\."/],
  ["parent first", "../outside/secret.txt", /part "\.\."/],
  ["dot", "docs/./a.md", /part "\."/],
  ["absolute", "/etc/passwd", /is absolute/],
  ["absolute with two slashes", "//etc/passwd", /is absolute/],
  ["home", "~/.ssh/id_rsa", /home folder/],
  ["drive", "C:\\Windows\\win.ini", /begins with a drive/],
  ["drive with slashes", "c:/Windows/win.ini", /begins with a drive/],
  ["network share", "\\\\host\\share", /backslash/],
  ["backslash as separator", "docs\\..\\outside\\secret.txt", /backslash/],
  ["backslash in a part", "docs/..\\outside", /backslash/],
  ["empty part", "docs//a.md", /empty part/],
  ["nothing", "", /is empty/],
  ["NUL", "docs/a.md\0.png", /control characters/],
  ["line break", "docs/a.md\nx", /control characters/],
  ["escape sequence", "docs/\u001b[2Jx", /control characters/],
  ["percent-encoded parent", "docs/%2e%2e/outside/secret.txt", /There is no/],
  ["twice percent-encoded", "docs/%252e%252e%252foutside", /There is no/],
  ["overlong UTF-8 as text", "docs/%c0%ae%c0%ae/outside", /There is no/],
  ["fullwidth dots", "docs/．．/outside/secret.txt", /stand for dots or slashes/],
  ["two-dot leader", "docs/‥/outside/secret.txt", /stand for dots or slashes/],
  ["fullwidth slash", "docs/sub／..／x", /stand for dots or slashes/],
  ["fullwidth backslash", "docs/sub＼x", /stand for dots or slashes/],
  ["invisible characters round dots", "docs/.\u200b./outside", /stand for dots or slashes|ends in a dot/],
  ["right-to-left override", "docs/\u202etxt.exe", /control characters/],
  ["half a surrogate", "docs/\ud800", /not valid Unicode/],
  ["replacement character", "docs/\ufffd", /not valid Unicode/],
  ["trailing dot", "docs/a.md.", /ends in a dot or a space/],
  ["trailing space", "docs/a.md ", /ends in a dot or a space/],
  ["trailing no-break space", "docs/a.md\u00a0", /ends in a dot or a space/],
  ["three dots", "docs/.../x", /ends in a dot/],
  ["overlong part", `docs/${LONG}`, /more than 255 bytes/],
  ["overlong path", `docs/${"y/".repeat(2100)}z`, /more than 4096 bytes/],
  ["too deep", `docs/${"y/".repeat(70)}z`, /deeper than 64/],
  ["prefix sibling", "docs-secret/secret.txt", /There is no root "docs-secret"/],
  ["another case of the root", "DOCS/a.md", /There is no root "DOCS"/],
  ["prototype", "__proto__/a.md", /There is no root "__proto__"/],
  ["URL", "file:///etc/passwd", /empty part|has the part|There is no root/],
  ["short name of FAT", "docs/ENV~1", /short form/],
];
describe("a path that is none is refused by every tool that takes one", () => {
  /** Plain names with percent signs, which may be made. */
  const plain = new Set(["percent-encoded parent", "twice percent-encoded", "overlong UTF-8 as text"]);
  it.each(PATHS)("%s", async (name, path, words) => {
    for (const [tool, args] of TAKERS) {
      const makes = tool === "write_file" || ("to" in args(path) && args(path)["to"] === path);
      if (makes && plain.has(name)) continue;
      const unnamed = tool === "restore_version" && (plain.has(name) || name === "short name of FAT");
      await check(house, tool, args(path), unnamed ? /has no version 1/ : words);
    }
    const { text } = await house.call("read_many", { paths: [path] });
    expect(text).toMatch(words);
    expect(text).not.toContain(SECRET);
  });
});

const LINKS: readonly (readonly [name: string, path: string, words: RegExp])[] = [
  ["to a file outside", "docs/link-file", /is a link|no folder/],
  ["to a folder outside", "docs/link-dir", /is a link|no folder/],
  ["through a folder outside", "docs/link-dir/secret.txt", /no folder/],
  ["to the folder above", "docs/link-up/outside/secret.txt", /no folder/],
  ["absolute", "docs/link-absolute/secret.txt", /no folder/],
  ["to a link", "docs/chain/secret.txt", /no folder/],
  ["in a circle", "docs/loop-a", /is a link|no folder/],
  ["through a circle", "docs/loop-a/x", /no folder/],
  ["to a file inside", "docs/link-inside", /is a link|no folder/],
  ["through a folder inside", "docs/link-sub/inner.txt", /no folder/],
  ["to a device", "docs/zero", /is a link|no folder/],
  ["through the kernel's magic link", "docs/proc-root/etc/passwd", /no folder/],
  ["to nothing yet", "docs/dangling", /is a link|no folder/],
];

describe("a link is never followed, for reading and for writing", () => {
  it.each(LINKS)("%s", async (_name, path, words) => {
    for (const [tool, args] of TAKERS) {
      // What a link is, is told; a link that is moved would be another one.
      if (tool === "stat" || tool === "restore_version") continue;
      await check(house, tool, args(path), words);
    }
    await check(house, "make_directory", { path: `${path}/made` }, /no folder/);
    await check(house, "write_file", { path: `${path}/made.txt`, content: "x" }, /no folder/);
  });

  it("a search passes it over", async () => {
    const { text } = await house.call("search_files", { path: "docs", pattern: "secret.txt" });
    expect(text).toBe("Nothing was found.");
  });
});

describe("what is no file", () => {
  it.each(["docs/pipe", "docs/socket"])("%s is not opened, and nothing waits for it", async (path) => {
    for (const [tool, args] of TAKERS.slice(0, 2))
      await check(house, tool, args(path), /device, pipe or socket/);
    await check(house, "write_file", { path, content: "x", overwrite: true }, /device, pipe or socket/);
    await check(house, "move", { from: path, to: "docs/moved" }, /device, pipe or socket/);
    await check(house, "move", { from: "docs/a.md", to: path, overwrite: true }, /device, pipe or socket/);
    expect((await house.call("stat", { path })).text).toContain("type: other");
  });

  it("devices are not opened, and the kernel's own files are closed", async () => {
    await using other = await fileHouse({
      roots: {
        dev: { path: "/dev", writable: true },
        proc: { path: "/proc", writable: false },
        sys: { path: "/sys", writable: false },
      },
    });
    for (const path of ["dev/zero", "dev/null"]) {
      expect((await other.call("read_file", { path })).text).toMatch(/device, pipe or socket/);
      expect((await other.call("write_file", { path, content: "x", overwrite: true })).text).toMatch(
        /device/,
      );
    }
    for (const path of ["proc/1/environ", "proc/version", "sys/kernel/notes"])
      expect((await other.call("read_file", { path })).text).toMatch(/There is no|is closed/);
    expect((await other.call("read_file", { path: "proc/version" })).text).toMatch(/no folder of a disk/);
  });
});

describe("hard links", () => {
  it("writing gives the name a new file; whatever shares the old one keeps it", async () => {
    expect((await house.call("read_file", { path: "docs/hard.txt" })).text).toBe("hard");
    expect((await house.call("stat", { path: "docs/hard.txt" })).text).toContain("hard links: 2");
    await house.call("edit_file", { path: "docs/hard.txt", edits: [{ old_text: "hard", new_text: "soft" }] });
    expect(readFileSync(join(house.base, "docs/hard.txt"), "utf8")).toBe("soft");
    expect(readFileSync(join(house.base, "outside/linked.txt"), "utf8")).toBe("hard");
    expect(house.untouched()).toBe(true);
  });
});

describe("addresses of resources", () => {
  it.each([
    ["encoded parent", "files://docs/%2e%2e/outside/secret.txt"],
    ["plain parent", "files://docs/../outside/secret.txt"],
    ["encoded slash", "files://docs/..%2foutside%2fsecret.txt"],
    ["encoded slash in a name", "files://docs/sub%2finner.txt"],
    ["encoded backslash", "files://docs/..%5coutside"],
    ["encoded NUL", "files://docs/a.md%00"],
    ["bad encoding", "files://docs/%c0%ae%c0%ae/outside"],
    ["file scheme", "file:///etc/passwd"],
    ["other root", "files://docs-secret/secret.txt"],
    ["link", "files://docs/link-file"],
    ["through a link", "files://docs/link-dir/secret.txt"],
    ["pipe", "files://docs/pipe"],
    ["folder", "files://docs/sub"],
    ["root", "files://docs"],
    ["query", "files://docs/a.md?x"],
    ["user", "files://docs@outside/secret.txt"],
  ])("%s", async (_name, uri) => {
    const error: unknown = await house.server
      .readResource(uri, contextOf())
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: -32602 });
    expect(String(error)).not.toContain(house.base);
    await expect(house.server.watch(uri)).rejects.toMatchObject({ code: -32602 });
  });
});

describe("arguments that are none", () => {
  it.each<[string, Args]>([
    ["read_file", {}],
    ["read_file", { path: 1 }],
    ["read_file", { path: ["docs/a.md"] }],
    ["read_file", { path: "docs/a.md", offset: 1.5 }],
    ["read_file", { path: "docs/a.md", length: -1 }],
    ["read_file", { path: "docs/a.md", roots: ["file:///etc"] }],
    ["list_directory", { path: "docs", limit: 1e9 }],
    ["directory_tree", { path: "docs", depth: 1e9 }],
    ["read_many", { paths: Array.from({ length: 51 }, () => "docs/a.md") }],
    ["write_file", { path: "docs/w", content: "\ud800" }],
    ["write_file", { path: "docs/w", content: "a*b", encoding: "base64" }],
    ["edit_file", { path: "docs/a.md", edits: [{ old_text: "", new_text: "x" }] }],
  ])("%s %j", async (tool, args) => {
    await check(house, tool, args, /arguments of \w+ are wrong|not valid Unicode|not base64/);
  });
});
