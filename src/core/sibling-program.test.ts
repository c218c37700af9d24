import { describe, expect, it } from "vitest";
import { siblingProgram } from "./sibling-program.ts";

describe("siblingProgram", () => {
  it.each([
    ["file:///o/src/pull/file-digest.ts", "./hash-thread", "file:///o/src/pull/hash-thread.ts"],
    ["file:///o/dist/pull/file-digest.js", "./hash-thread", "file:///o/dist/pull/hash-thread.js"],
    ["file:///o/dist/engines/embedded.js", "../embedded/main", "file:///o/dist/embedded/main.js"],
    ["file:///with%20space/v1.2/a.js", "b", "file:///with%20space/v1.2/b.js"],
  ])("from %s, %s is %s", (from, name, program) => {
    expect(siblingProgram(from, name).href).toBe(program);
  });
});
