import { z } from "zod";
import { withFacts } from "./facts.ts";
import { exactlyOne } from "./choice.ts";
import { text } from "./identities.ts";

const SECRET = {
  expected: "a reference to a secret",
  example: "{ env: NAME } or { file: /run/secrets/name }",
  secret: true,
};

/** The name of an environment variable. */
export const variableName = () =>
  withFacts(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), {
    expected: "the name of an environment variable",
    example: "HF_TOKEN",
  });

/** Keys of every secret reference: the value itself is never in the spec. */
export const secretKeys = {
  env: variableName().optional().describe("Environment variable of the Omni process that holds the secret."),
  file: text("a path", "/run/secrets/name")
    .optional()
    .describe("File that holds the secret; a trailing newline is ignored."),
};

/** A reference to a secret. */
export const secret = () => withFacts(z.strictObject(secretKeys).check(exactlyOne(["env", "file"])), SECRET);

const VALUE = { expected: "a text, a whole number, true or false, or a secret reference", example: '"1"' };

/** Environment variables of an engine or tool: plain values, or references to secrets. */
export const environment = () =>
  z.record(variableName(), withFacts(z.union([z.string(), z.int(), z.boolean(), secret()]), VALUE));
