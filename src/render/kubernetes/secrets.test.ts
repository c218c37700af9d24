import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secretKey } from "./secrets.ts";

describe("keys of the Secret", () => {
  it("are the variable's name, or the file's path", () => {
    expect(secretKey({ env: "HF_TOKEN" })).toBe("HF_TOKEN");
    expect(secretKey({ file: "/run/secrets/hf-token" })).toBe("run.secrets.hf-token");
  });

  it("are keys for any path, and never the same for two", () => {
    const path = fc.array(fc.constantFrom("a", "b", "/", ".", "_", "-", " ", "ü", "'"), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(path, path, (one, other) => {
        const [first, second] = [one.join(""), other.join("")];
        expect(secretKey({ file: first })).toMatch(/^[-._a-zA-Z0-9]{1,253}$/);
        expect(secretKey({ file: first }) === secretKey({ file: second })).toBe(first === second);
      }),
    );
  });
});
