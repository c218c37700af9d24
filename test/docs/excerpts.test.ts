import { describe, expect, it } from "vitest";
import { withExcerpts } from "../../scripts/excerpts.ts";
import { selectLines } from "../../scripts/select-lines.ts";

const TEXT = ["plan of a.yaml", "a:", "  one: 1", "", "  two: 2", "b:", "  one: 3", ""].join("\n");

describe("parts of a text", () => {
  it("are a line and what is indented below it; one that begins so goes before one that has it", () => {
    expect(selectLines(TEXT, "block a:", "…")).toBe("a:\n  one: 1\n\n  two: 2");
    expect(selectLines(TEXT, "block two", "…")).toBe("  two: 2");
  });

  it("are lines by their numbers, and several parts have a gap between them", () => {
    expect(selectLines(TEXT, "lines 1-2; block b:", "…")).toBe("plan of a.yaml\na:\n…\nb:\n  one: 3");
  });

  it("that are not there are no silent nothing", () => {
    expect(() => selectLines(TEXT, "block c:", "…")).toThrow('no line contains "c:"');
    expect(() => selectLines(TEXT, "lines 20-30", "…")).toThrow("there are no lines 20-30");
    expect(() => selectLines(TEXT, "lines", "…")).toThrow("neither");
  });
});

describe("a document", () => {
  const spoiled = (comment: string): string => `Before\n\n${comment}\n\`\`\`\nold\n\`\`\`\n\nAfter\n`;

  it("shows what a command prints", async () => {
    const text = await withExcerpts(spoiled("<!-- run: ./omni check examples/laptop.yaml -->"));
    expect(text).toBe(
      "Before\n\n<!-- run: ./omni check examples/laptop.yaml -->\n```\n$ ./omni check examples/laptop.yaml\nexamples/laptop.yaml: valid (no findings)\n```\n\nAfter\n",
    );
    expect(await withExcerpts(text)).toBe(text);
  });

  it("shows a part of a file, also where no block stands yet", async () => {
    const text = await withExcerpts("<!-- file: examples/laptop.yaml | block models: -->\n");
    expect(text.split("\n").slice(1, 4)).toEqual([
      "```yaml",
      "models:",
      "  chat: builtin:omni-demo # or ./model.gguf, or hf:owner/repo:Q4_K_M",
    ]);
  });

  it("shows how two files differ, without their comments", async () => {
    const text = await withExcerpts(
      spoiled("<!-- diff: examples/leviathan.yaml examples/leviathan.fixed.yaml | block     nvme: -->"),
    );
    expect(text).toContain("-      device: /dev/nvme0n1\n+      serial: READ-ME-FROM-LSBLK\n");
    expect(text).not.toContain("#");
  });

  it("takes a part of another document", async () => {
    const text = await withExcerpts("<!-- include: docs/comparison.md short -->\nold\n<!-- end -->\n");
    expect(text).toMatch(/^<!-- include: docs\/comparison\.md short -->\n\| \| strongest at/);
    expect(text).not.toContain("old\n");
  });

  it("that asks for what is not there is told where", async () => {
    await expect(withExcerpts(spoiled("<!-- run: ./omni plann -->"))).rejects.toThrow("run: ./omni plann");
    await expect(withExcerpts("<!-- include: docs/comparison.md none -->\n<!-- end -->\n")).rejects.toThrow(
      "none",
    );
  });
});
