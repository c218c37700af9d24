import type { LocalAddress } from "../../core/address.ts";
import type { TermBytes } from "../board/holdings.ts";
import type { Fault } from "../faults/fault.ts";
import { faultFrom } from "../faults/fault.ts";
import type { Fields } from "../read-fields.ts";
import { fieldsOf, flagIn, listIn, numberIn, parseFields, textIn } from "../read-fields.ts";

/** What a simulated engine is told beside its real command line: the JSON after `--simulate`. Bytes, milliseconds, tokens. */
export interface EngineSettings {
  /** Kind of engine in the catalog. */
  readonly kind: string;
  readonly service: string;
  /** Name that it announces when its command line names none. */
  readonly model: string;
  readonly address: LocalAddress;
  readonly contextTokens: number;
  readonly parallel: number;
  /** What it takes of each card, by UUID in the order in which the engine counts them, and of main memory (`cpu`). */
  readonly memory: Readonly<Record<string, TermBytes>>;
  /** Bytes of KV cache of one token over all cards; from memory and context when absent. */
  readonly kvBytesPerToken?: number;
  /** Share of each card, and bytes of cache, where the command line does not say them (Triton's vLLM). */
  readonly memoryFraction?: number;
  readonly kvBytes?: number;
  readonly loadTime: number;
  readonly tokensPerSecond: number;
  readonly promptTokensPerSecond: number;
  /** Folder of the board; without one it holds no memory. */
  readonly board?: string;
  readonly faults?: readonly Fault[];
  /** The files of the model must be there. */
  readonly modelMustExist?: boolean;
  /** Key that clients must send (kind `openai`). */
  readonly key?: string;
}

/** Reads the settings. Throws Error for what is no such JSON: only a program that starts engines can cause it. */
export function readEngineSettings(text: string): EngineSettings {
  const fields = parseFields(text);
  const address = addressIn(fieldsOf(fields?.["address"]));
  if (fields === undefined || address === undefined) throw new Error(`--simulate: no settings: ${text}`);
  return {
    kind: textIn(fields, "kind") ?? "",
    service: textIn(fields, "service") ?? "",
    model: textIn(fields, "model") ?? "",
    address,
    contextTokens: numberIn(fields, "contextTokens") ?? 4096,
    parallel: Math.max(1, numberIn(fields, "parallel") ?? 1),
    memory: memoryIn(fieldsOf(fields["memory"])),
    loadTime: numberIn(fields, "loadTime") ?? 0,
    tokensPerSecond: numberIn(fields, "tokensPerSecond") ?? 60,
    promptTokensPerSecond: numberIn(fields, "promptTokensPerSecond") ?? 4000,
    faults: listIn(fields, "faults").flatMap((entry) => faultFrom(entry) ?? []),
    modelMustExist: flagIn(fields, "modelMustExist"),
    ...numbersIn(fields, ["kvBytesPerToken", "memoryFraction", "kvBytes"]),
    ...textsIn(fields, ["board", "key"]),
  };
}

/** Those of the fields that are there. */
const numbersIn = <Name extends string>(
  fields: Fields,
  names: readonly Name[],
): { [name in Name]?: number } => {
  const found: { [name in Name]?: number } = {};
  for (const name of names) {
    const value = numberIn(fields, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
};

const textsIn = <Name extends string>(
  fields: Fields,
  names: readonly Name[],
): { [name in Name]?: string } => {
  const found: { [name in Name]?: string } = {};
  for (const name of names) {
    const value = textIn(fields, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
};

function addressIn(fields: Fields | undefined): LocalAddress | undefined {
  const path = textIn(fields, "path");
  if (textIn(fields, "kind") === "unix" && path !== undefined) return { kind: "unix", path };
  const port = numberIn(fields, "port");
  return port === undefined ? undefined : { kind: "tcp", host: textIn(fields, "host") ?? "127.0.0.1", port };
}

function memoryIn(fields: Fields | undefined): Readonly<Record<string, TermBytes>> {
  const entries = Object.entries(fields ?? {}).map(([uuid, value]) => {
    const terms = fieldsOf(value);
    const of = (term: string): number => numberIn(terms, term) ?? 0;
    const bytes = {
      weights: of("weights"),
      kvCache: of("kvCache"),
      compute: of("compute"),
      overhead: of("overhead"),
    };
    return [uuid, bytes] as const;
  });
  return Object.fromEntries(entries);
}
