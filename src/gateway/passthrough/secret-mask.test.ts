import fc from "fast-check";
import { expect, test } from "vitest";

import { SecretMask, secretsIn } from "./secret-mask.ts";

test("secrets are words of headers that are long enough to be some", () => {
  expect(secretsIn({ Authorization: "Bearer sk-0123456789", "x-version": "2024" })).toEqual([
    "sk-0123456789",
  ]);
});

test("however a body is cut into chunks, no secret passes and nothing else changes", () => {
  const secrets = ["sk-aaaabbbb", "bbbbcccc"];
  const piece = fc.constantFrom("sk-aaaabbbb", "bbbbcccc", "sk-aaaa", "bbbb", "x", "sk-", "cccc");
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(20)), (pieces, cuts) => {
      const text = pieces.join("");
      const mask = new SecretMask(secrets);
      let said = "";
      let at = 0;
      for (const cut of cuts) {
        said += String(mask.push(Buffer.from(text.slice(at, at + cut))));
        at += cut;
      }
      said += String(mask.push(Buffer.from(text.slice(at)))) + String(mask.end());
      expect(said).toHaveLength(text.length);
      for (const secret of secrets) expect(said).not.toContain(secret);
      const changed = said.split("").filter((letter, place) => letter !== "*" && letter !== text[place]);
      expect(changed).toEqual([]);
    }),
  );
});
