import { z } from "zod";
import { withFacts } from "./facts.ts";
import { exactlyOne } from "./choice.ts";
import { text } from "./identities.ts";

const SECRET = {
  expected: "a reference to a secret",
  example: "{ env: NAME } or { file: /run/secrets/name }",
  secret: true,
};

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const VARIABLE_NAME = "the name of an environment variable";

/** The name of an environment variable. */
const variableName = () =>
  withFacts(z.string().regex(VARIABLE), { expected: VARIABLE_NAME, example: "HF_TOKEN" });

/** Where the name of a variable belongs, anything else may be the secret itself and is not repeated. */
const secretVariable = () =>
  withFacts(z.string().regex(VARIABLE), { expected: VARIABLE_NAME, example: "HF_TOKEN", private: true });

/** Keys of every secret reference: the value itself is never in the spec. */
export const secretKeys = {
  env: secretVariable()
    .optional()
    .describe("Environment variable of the Omni process that holds the secret."),
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
