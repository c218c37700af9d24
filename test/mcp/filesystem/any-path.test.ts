import { readlink } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { itself } from "../../../src/mcp/filesystem/beneath.ts";
import { createDeny } from "../../../src/mcp/filesystem/deny.ts";
import { openFolder, placeOf, withFile, type Ground } from "../../../src/mcp/filesystem/ground.ts";
import { Refusal } from "../../../src/mcp/filesystem/refusal.ts";
import { createRoots } from "../../../src/mcp/filesystem/roots.ts";
import { createVersions } from "../../../src/mcp/filesystem/versions.ts";
import { attackedHouse } from "./attacked-house.ts";

/** Parts that are in the house, lead out of it, or are read differently by one system or another. */
const PARTS = [
  "docs",
  "ro",
  "sub",
  "deep",
  "a.md",
  "inner.txt",
  "fixed.txt",
  ".env",
  ".ssh",
  "link-dir",
  "link-file",
  "link-up",
  "link-sub",
  "chain",
  "loop-a",
  "proc-root",
  "zero",
  "pipe",
  "outside",
  "secret.txt",
  "docs-secret",
  "..",
  ".",
  "",
  "...",
  "%2e%2e",
  "．．",
  "‥",
  "etc",
  "passwd",
  "A.MD",
  "a.md.",
  "a.md ",
  "\0",
  "ENV~1",
  "state",
  "~",
  "C:",
  "\u202e",
  "self",
  "root",
];
const SEPARATORS = ["/", "/", "/", "/", "//", "\\", "／", "%2f", "∕", ":"];

/** Any code unit, halves of surrogates too. */
const unit = fc.nat(0xffff).map((code) => String.fromCharCode(code));

const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...PARTS) },
  { weight: 1, arbitrary: fc.string({ unit, maxLength: 12 }) },
);
const THERE = ["docs", "docs/sub", "docs/sub/deep", "docs/a.md", "docs/sub/inner.txt", "ro", "ro/fixed.txt"];

const path = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom("docs/", "ro/", "", "/"),
        part,
        fc.array(fc.tuple(fc.constantFrom(...SEPARATORS), part), { maxLength: 4 }),
      )
      .map(([root, first, rest]) => root + first + rest.flat().join("")),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...THERE), fc.option(fc.tuple(fc.constantFrom(...SEPARATORS), part)))
      .map(([there, more]) => there + (more ?? []).join("")),
  },
  { weight: 1, arbitrary: fc.string({ unit, maxLength: 60 }) },
);

it("whatever the path, it is refused or what was opened lies beneath a root", async () => {
  await using house = await attackedHouse();
  const ground: Ground = {
    roots: createRoots(
      {
        docs: { path: join(house.base, "docs"), writable: true },
        ro: { path: join(house.base, "ro"), writable: false },
      },
      join(house.base, "state"),
    ),
    deny: createDeny([]),
    maxRead: 1 << 20,
    maxWrite: 1 << 20,
    versions: createVersions({ folder: join(house.base, "state"), versions: 0, largest: 1 }),
    serial: (work) => work(),
  };
  const opened = { files: 0, folders: 0 };
  const isRefusalOrBeneath = (outcome: PromiseSettledResult<string>): boolean =>
    outcome.status === "rejected"
      ? outcome.reason instanceof Refusal
      : ["docs", "ro"].some((root) => `${outcome.value}/`.startsWith(join(house.base, root, "/")));
  await fc.assert(
    fc.asyncProperty(path, async (text) => {
      const found = await Promise.allSettled([
        (async () =>
          withFile(ground, placeOf(ground, text, "file"), (file) => readlink(itself(file.handle))))(),
        (async () => {
          await using folder = await openFolder(ground, placeOf(ground, text, "folder"));
          return await readlink(itself(folder));
        })(),
      ]);
      expect(found.every(isRefusalOrBeneath)).toBe(true);
      if (found[0].status === "fulfilled") opened.files += 1;
      if (found[1].status === "fulfilled") opened.folders += 1;
    }),
    { numRuns: 1500 },
  );
  expect(opened.files).toBeGreaterThan(10);
  expect(opened.folders).toBeGreaterThan(10);
});

it("whatever the path, writing, moving and making folders changes nothing outside", async () => {
  await using house = await attackedHouse();
  await fc.assert(
    fc.asyncProperty(path, async (text) => {
      await house.call("make_directory", { path: text });
      await house.call("write_file", { path: text, content: "x", overwrite: true });
      await house.call("move", { from: "docs/a.md", to: text });
      await house.call("move", { from: text, to: "docs/a.md" });
    }),
    { numRuns: 300 },
  );
  expect(house.untouched()).toBe(true);
});
