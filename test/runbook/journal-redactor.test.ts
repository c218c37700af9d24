import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/runbook/index.ts";

const plain = createRedactor();

describe("what looks like a secret", () => {
  it.each([
    ["curl -H 'Authorization: Bearer abc.def.ghi' x", "curl -H 'Authorization: ***' x"],
    ["login --token abc123 --user me", "login --token *** --user me"],
    ["--registry-password=abc host", "--registry-password=*** host"],
    ["HF_TOKEN=hf_abcdefghijklmnopqrst run", "HF_TOKEN=*** run"],
    ["https://me:pass@host/x", "https://***@host/x"],
    ["https://glpat@host/x", "https://***@host/x"],
    ["https://host/x?token=abc&y=1", "https://host/x?token=***&y=1"],
    ['{"password": "a\\"b", "user": "me"}', '{"password": "***", "user": "me"}'],
  ])("%s", (text, shown) => {
    expect(plain.text(text)).toBe(shown);
  });

  it.each([
    "ssh://root@192.168.3.10:22",
    "4096 tokens, prompt token rate 12.5",
    "git clone https://github.com/x/y@v1",
    "mkfs.xfs -L data /dev/disk/by-id/nvme-S7XX",
  ])("%s stays", (text) => {
    expect(plain.text(text)).toBe(text);
  });
});

describe("a known secret", () => {
  it("is taken out of any text that holds it, also as URLs, JSON and base64 write it", () => {
    fc.assert(
      fc.property(
        fc
          .string({ minLength: 6, maxLength: 40, unit: "grapheme-ascii" })
          .filter((text) => text.trim().length >= 6),
        fc.string({ maxLength: 30 }),
        fc.string({ maxLength: 30 }),
        (secret, before, after) => {
          const redactor = createRedactor();
          redactor.hide(secret);
          const value = secret.trim();
          const forms = [value, encodeURIComponent(value), Buffer.from(value).toString("base64")];
          for (const form of forms)
            expect(redactor.text(`${before} ${form} ${after}`).includes(` ${form} `)).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is hidden line by line, and a short one as a word only", () => {
    const redactor = createRedactor();
    redactor.hide("-----BEGIN KEY-----\nAAAABBBBCCCC\n-----END KEY-----");
    redactor.hide("ab");
    expect(redactor.text("say AAAABBBBCCCC to about ab")).toBe("say *** to about ***");
  });

  it("is learned from the option that it follows", () => {
    const redactor = createRedactor();
    expect(redactor.argv(["skopeo", "--dest-token", "abcd99", "x"])).toEqual([
      "skopeo",
      "--dest-token",
      "***",
      "x",
    ]);
    expect(redactor.text("you gave abcd99")).toBe("you gave ***");
  });
});
