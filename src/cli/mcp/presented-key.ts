import { readFileSync } from "node:fs";

import { messageOf, OmniError } from "../../core/index.ts";
import type { Invocation, Option } from "../command.ts";
import { usualKey } from "../usual-key.ts";

/** Where the key comes from that a command shows to the node; never from the command line itself, which others can read. */
export const KEY_OPTIONS: Readonly<Record<string, Option>> = {
  "key-env": {
    kind: "value",
    placeholder: "NAME",
    about: "Environment variable with the key to show; default OMNI_KEY, then OMNI_API_KEY.",
  },
  "key-file": { kind: "value", placeholder: "FILE", about: "File with the key to show." },
};

/** The key to show, `undefined` where none is set. Throws `OmniError` `key.unset` for one that was named and is not there. */
export function presentedKey(invocation: Invocation): string | undefined {
  const file = invocation.value("key-file");
  const named = invocation.value("key-env");
  if (file !== undefined && named !== undefined)
    throw new OmniError("cli.bad-argument", "--key-file and --key-env are two places for one key.");
  if (file !== undefined) return keyOfFile(file);
  if (named === undefined) return usualKey();
  const key = process.env[named]?.trim();
  if (key !== undefined && key !== "") return key;
  throw new OmniError(
    "key.unset",
    `The environment variable ${named}, named by --key-env, is not set or empty.`,
    {
      hint: `export ${named}=…`,
    },
  );
}

function keyOfFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (thrown) {
    throw new OmniError("key.unset", `The key's file ${file} cannot be read: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
  if (text !== "" && !/\s/.test(text)) return text;
  throw new OmniError(
    "key.unset",
    `The key's file ${file} holds ${text === "" ? "nothing" : "more than one word"}.`,
    {
      hint: "It holds the key and nothing else.",
    },
  );
}

/** What to do where a node asks for a key. */
export const ASKS_FOR_KEY =
  "Set OMNI_KEY to one of the node's keys, or name its place with --key-env or --key-file.";

/** The header that shows it. */
export const bearer = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { authorization: `Bearer ${key}` };
