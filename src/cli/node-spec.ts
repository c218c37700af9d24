import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { messageOf, OmniError, present } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import { digestOf } from "../keys/index.ts";
import type { SpecKey } from "../keys/index.ts";
import { loadSpec, serviceName } from "../spec/index.ts";
import type { LoadedSpec, Spec } from "../spec/index.ts";

/** A spec with the folder that its relative paths start from. */
export interface LocatedSpec {
  readonly spec: Spec;
  readonly folder: string;
  /** Where it came from, for a person. */
  readonly origin: string;
  readonly warnings: readonly Diagnostic[];
  /** Where a path of the spec stands in its text. */
  readonly locate: LoadedSpec["locate"];
  /** The text that it was read from. */
  readonly text: string;
  /** The document as its owner typed it. */
  readonly typed: Readonly<Record<string, unknown>>;
}

const DEMO_MODEL = resolve(import.meta.dirname, "../../demo/omni-demo.gguf");
const BUILTINS: ReadonlyMap<string, string> = new Map([["omni-demo", DEMO_MODEL]]);
const DEMO = "omni: 1\nmodels: { omni-demo: builtin:omni-demo }\n";

/** The name a model file goes by when it is given without a spec: its file name, without ending and shard number. */
export const modelName = (file: string): string =>
  basename(file)
    .replace(/\.gguf$/i, "")
    .replace(/-\d{5}-of-\d{5}$/, "")
    .replaceAll(/[^A-Za-z0-9._:-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 128) || "model";

/**
 * The spec to run: the file given, a model file alone, `omni.yaml` of the current folder, or the demo, in this order.
 * Throws `OmniError` with every finding when the spec is wrong.
 */
export async function locateSpec(file: string | undefined, model: string | undefined): Promise<LocatedSpec> {
  if (file !== undefined && model !== undefined) {
    throw new OmniError("cli.bad-argument", "up takes a spec or --model, not both.", {
      hint: "Name the model in the spec, or leave the spec out.",
    });
  }
  if (model !== undefined) {
    const name = modelName(model);
    const service = serviceName(name) || "model";
    // JSON is YAML: any path survives the quoting.
    const text = JSON.stringify({
      omni: 1,
      models: { [service]: { source: { file: resolve(model) } } },
      ...(service === name ? {} : { routes: { [name]: service } }),
      services: { [service]: { model: service, engine: "embedded" } },
    });
    // Nobody typed this text, so no finding points into it.
    return { ...checked(text, `--model ${model}`, process.cwd()), locate: () => ({}) };
  }
  if (file !== undefined) return checked(await readSpec(file), file, dirname(resolve(file)));
  if (existsSync("omni.yaml")) return checked(await readSpec("omni.yaml"), "omni.yaml", process.cwd());
  return { ...checked(DEMO, "the demo", process.cwd()), locate: () => ({}) };
}

/** Reads a spec file; `-` is standard input. Throws `OmniError` `cli.bad-argument` when it cannot be read. */
export async function readSpec(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file === "-" ? "/dev/stdin" : file);
  } catch (thrown) {
    throw new OmniError("cli.bad-argument", `Cannot read ${file}: ${messageOf(thrown)}`, {
      cause: thrown,
      hint: "Give the path of an omni.yaml file, or - for standard input.",
    });
  }
}

function checked(input: string | Uint8Array, origin: string, folder: string): LocatedSpec {
  const { located, diagnostics } = readLocated(input, origin, folder);
  if (located === undefined) {
    throw new OmniError(
      diagnostics.find((d) => d.severity === "error")?.code ?? "cli.internal",
      `${origin} is not valid.`,
      { diagnostics },
    );
  }
  return located;
}

/** The spec of a text whose relative paths start from `folder`; without it where the text is wrong, which the findings say. */
export function readLocated(
  input: string | Uint8Array,
  origin: string,
  folder: string,
): { readonly located?: LocatedSpec; readonly diagnostics: readonly Diagnostic[] } {
  const { spec, diagnostics, locate, typed = {} } = loadSpec(input, origin);
  if (spec === undefined) return { diagnostics };
  const text = typeof input === "string" ? input : new TextDecoder().decode(input);
  return { located: { spec, folder, origin, warnings: diagnostics, locate, text, typed }, diagnostics };
}

type Source = Spec["models"][string]["source"];

/** The path of a model's source on this machine; `undefined` for sources that are not files here. */
export function localPath(source: Source, folder: string): string | undefined {
  if (source.file !== undefined) return resolveFrom(folder, source.file);
  return source.builtin === undefined ? undefined : BUILTINS.get(source.builtin);
}

/** A path of the spec: absolute, under the home folder (`~/`), or relative to the spec's own folder. */
export const resolveFrom = (folder: string, path: string): string =>
  resolve(folder, path.replace(/^~(?=\/)/, homedir()));

/** The keys of `keys:`, from the environment or files. Throws `OmniError` `key.unset` naming every one that is missing. */
export async function readKeys(located: LocatedSpec): Promise<readonly SpecKey[]> {
  const { keys, missing } = await presentKeys(located);
  if (missing.length > 0) throw new OmniError("key.unset", "A key is missing.", { diagnostics: missing });
  return keys;
}

/** Keys of a spec that are set, and an error for each that is not. */
export interface PresentKeys {
  readonly secrets: readonly string[];
  /** The same by name, with what each may do and the digest in place of the secret. */
  readonly keys: readonly SpecKey[];
  readonly missing: readonly Diagnostic[];
}

/** The keys of `keys:` that are set, and an error for each that is not. */
export async function presentKeys({ spec, folder }: LocatedSpec): Promise<PresentKeys> {
  const secrets: string[] = [];
  const keys: SpecKey[] = [];
  const missing: Diagnostic[] = [];
  for (const [name, key] of Object.entries(spec.keys)) {
    const from = key.env === undefined ? `the file ${key.file ?? ""}` : `the environment variable ${key.env}`;
    const secret = await readSecretOf(key, folder);
    if (secret === undefined) {
      missing.push({
        code: "key.unset",
        severity: "error",
        path: `keys.${name}`,
        message: `The key ${name} comes from ${from}, which is not set or empty.`,
        hint: key.env === undefined ? `Write the key into ${key.file ?? ""}.` : `export ${key.env}=…`,
      });
    } else {
      secrets.push(secret);
      keys.push(specKeyOf(name, key, secret));
    }
  }
  return { secrets, keys, missing };
}

function specKeyOf(name: string, key: Spec["keys"][string], secret: string): SpecKey {
  const { admin, upstream, priority, routes, tools, mcp, limits, content, expires } = key;
  return {
    caller: {
      key: name,
      admin,
      upstream,
      priority,
      ...present({ routes, tools, content }),
      ...(mcp === undefined ? {} : { mcp: present(mcp) }),
      ...(limits === undefined ? {} : { limits: present(limits) }),
    },
    digest: digestOf(secret),
    ...present({ expires }),
  };
}

/** A secret of the spec from its variable or file, trimmed; `undefined` when it is not set or empty. */
export async function readSecretOf(
  from: { readonly env?: string | undefined; readonly file?: string | undefined },
  folder: string,
): Promise<string | undefined> {
  const typed =
    from.env === undefined
      ? await readFile(resolveFrom(folder, from.file ?? ""), "utf8").catch(() => undefined)
      : process.env[from.env];
  const secret = typed?.trim();
  return secret === "" ? undefined : secret;
}
