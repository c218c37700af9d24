import { describe, expect, it } from "vitest";
import type { KeptContent } from "../../store/index.ts";
import { createContentKeeper, KEEPS_NOTHING } from "./content-keeper.ts";

const MIB = 1024 * 1024;

describe("contents", () => {
  it("are kept of keys that allow it, and of nobody else", () => {
    const kept: KeptContent[] = [];
    const keeper = createContentKeeper({ put: (content) => kept.push(content) });
    expect(keeper.begin("r", { key: "alice" })).toBeUndefined();
    expect(keeper.begin("r", { key: "alice", content: false })).toBeUndefined();
    expect(KEEPS_NOTHING.begin("r", { key: "bob", content: true })).toBeUndefined();
    const tee = keeper.begin("r", { key: "bob", content: true });
    tee?.asked(Buffer.from("{}"));
    tee?.answered(Buffer.from("data: a\n\n"));
    tee?.answered(Buffer.from("data: b\n\n"));
    expect(kept).toEqual([]);
    tee?.end();
    tee?.end();
    expect(kept).toHaveLength(1);
    const [one] = kept;
    expect(one).toMatchObject({ id: "r", key: "bob", whole: true });
    expect(Buffer.from(one?.request ?? []).toString()).toBe("{}");
    expect(Buffer.from(one?.answer ?? []).toString()).toBe("data: a\n\ndata: b\n\n");
  });

  it("that are long are kept to their first mebibyte, which is said", () => {
    const kept: KeptContent[] = [];
    const tee = createContentKeeper({ put: (content) => kept.push(content) }).begin("r", {
      key: "k",
      content: true,
    });
    tee?.answered(Buffer.alloc(MIB - 1, 1));
    tee?.answered(Buffer.alloc(10, 2));
    tee?.answered(Buffer.alloc(10, 3));
    tee?.end();
    expect(kept[0]?.answer.length).toBe(MIB);
    expect(kept[0]?.answer.at(-1)).toBe(2);
    expect(kept[0]?.whole).toBe(false);
  });
});
