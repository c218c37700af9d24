import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kubernetesText } from "./kubernetes-variable.ts";

/** What the kubelet does with a text when no variable is defined under any name but `HOME` (third_party/forked/golang/expansion). */
function expanded(text: string): string {
  let out = "";
  for (let at = 0; at < text.length; at++) {
    const next = text[at + 1];
    if (text[at] !== "$" || next === undefined) out += text[at] ?? "";
    else if (next === "$") [out, at] = [`${out}$`, at + 1];
    else if (next === "(" && text.indexOf(")", at) > 0) {
      const end = text.indexOf(")", at);
      const name = text.slice(at + 2, end);
      [out, at] = [out + (name === "HOME" ? "/root" : `$(${name})`), end];
    } else [out, at] = [`${out}$${next}`, at + 1];
  }
  return out;
}

describe("texts that the kubelet expands", () => {
  it("come out as they were written", () => {
    const piece = fc.constantFrom("$", "$$", "$(HOME)", "$$(HOME)", "(", ")", "a", "$HOME", "${HOME}");
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(expanded(kubernetesText(pieces.join(""), "services.a"))).toBe(pieces.join(""));
      }),
    );
  });

  it("doubles only what would be read", () => {
    expect(kubernetesText("$(id) $HOME ${x} $$ 5$", "x")).toBe("$$(id) $HOME ${x} $$$$ 5$");
  });

  it("refuses NUL and names the place", () => {
    expect(() => kubernetesText("a\0", "services.oracle.arguments")).toThrow(
      /services\.oracle\.arguments.*NUL/,
    );
  });
});
