import { MIB } from "../core/index.ts";
import { given } from "./given.ts";
import type { GpuInventory } from "./machine.ts";
import { pciAddressOf, pciIdOf } from "./pci-address.ts";
import { runBounded } from "./run-bounded.ts";
import type { ProgramLimits, ProgramResult } from "./run-bounded.ts";

/** What nvidia-smi told. `problems` are sentences for a person. */
export interface SmiAnswer {
  readonly gpus: readonly GpuInventory[];
  readonly driver?: string;
  readonly cuda?: string;
  readonly problems: readonly string[];
  /** There is no such program: no fault where there is no card either. */
  readonly absent: boolean;
}

/** Fields of `--query-gpu`. Source: nvidia-smi --help-query-gpu; compute_cap is missing before driver 510. */
const FIELDS = [
  "index",
  "uuid",
  "name",
  "pci.bus_id",
  "pci.device_id",
  "compute_cap",
  "driver_version",
  "memory.total",
  "memory.used",
  "memory.reserved",
  "temperature.gpu",
  "power.draw",
  "pcie.link.gen.max",
  "pcie.link.width.current",
] as const;
type Field = (typeof FIELDS)[number];

/** What every driver of the last ten years answers, for when a refusal does not say which field it means. */
const ESSENTIAL: ReadonlySet<Field> = new Set([
  "index",
  "uuid",
  "name",
  "pci.bus_id",
  "memory.total",
  "memory.used",
]);

const LONGEST_NAME = 120;

type Row = ReadonlyMap<Field, string>;

/**
 * Asks nvidia-smi for the cards and for CUDA, all within one time limit. One unknown field rejects a whole query, so
 * what it refuses is left out and asked again. Throws nothing; what went wrong stands in `problems`.
 */
export async function askNvidiaSmi(
  program: string,
  limits: ProgramLimits,
  ask = runBounded,
): Promise<SmiAnswer> {
  const end = performance.now() + limits.timeout;
  const run = (args: readonly string[]): Promise<ProgramResult> =>
    ask(program, args, { ...limits, timeout: Math.max(1, Math.round(end - performance.now())) });
  const { rows, problems, result } = await queryCards(run);
  if (!result.ended) {
    const problem = result.why === "timeout" ? timeoutProblem(program, limits.timeout) : result.message;
    return { gpus: [], problems: [problem], absent: result.why === "absent" };
  }
  const gpus = onceEach(rows.map(asGpu));
  const driver = rows.map((row) => value(row, "driver_version")).find((version) => version !== undefined);
  const cuda = gpus.length === 0 ? undefined : await cudaVersion(run);
  return {
    gpus,
    ...(driver === undefined ? {} : { driver }),
    ...(cuda === undefined ? {} : { cuda }),
    problems,
    absent: false,
  };
}

/** A card that is listed twice is one card. */
function onceEach(gpus: readonly GpuInventory[]): GpuInventory[] {
  const seen = new Set<string | undefined>();
  return gpus.filter(({ uuid, pci }) => !seen.has(uuid ?? pci) && seen.add(uuid ?? pci));
}

const timeoutProblem = (program: string, timeout: number): string =>
  `${program} did not answer within ${timeout / 1000} s and was killed; a card or its driver may hang (dmesg | grep -i xid)`;

interface Query {
  readonly rows: readonly Row[];
  readonly problems: readonly string[];
  readonly result: ProgramResult;
}

/** Asks with fewer fields for as long as a field is refused: those named, else all but the essential ones. */
async function queryCards(run: (args: readonly string[]) => Promise<ProgramResult>): Promise<Query> {
  let fields: readonly Field[] = FIELDS;
  for (;;) {
    const result = await run([`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"]);
    if (!result.ended) return { rows: [], problems: [], result };
    const { rows, others } = parseRows(result.stdout, fields);
    const said = [...others, ...smiLines(result.stderr)];
    const fewer = rows.length > 0 ? fields : withoutRefused(fields, said, ESSENTIAL);
    if (fewer.length === fields.length || fewer.length === 0)
      return { rows, problems: problemsOf(result.code, rows.length, said), result };
    fields = fewer;
  }
}

/**
 * The fields to ask for after nvidia-smi refused some: `Field "compute_cap" is not a valid field to query.`, or the
 * essential ones when it does not say which it means. The same ones when it refused none. Source: huggingface/candle#733.
 */
export function withoutRefused<F extends string>(
  fields: readonly F[],
  said: readonly string[],
  essential: ReadonlySet<F>,
): readonly F[] {
  const refusals = said.filter((line) => /not a valid field|invalid.*(?:field|query)/i.test(line));
  if (refusals.length === 0) return fields;
  const named = fields.filter((field) => refusals.some((line) => line.includes(`"${field}"`)));
  if (named.length > 0) return fields.filter((field) => !named.includes(field));
  return fields.filter((field) => essential.has(field));
}

function problemsOf(code: number | null, rows: number, said: readonly string[]): readonly string[] {
  if (said.length > 0) return [`nvidia-smi: ${said.slice(0, 3).join(" ").slice(0, 400)}`];
  if (code !== 0) return [`nvidia-smi ended with code ${String(code)}`];
  return rows === 0 ? ["nvidia-smi printed no card"] : [];
}

/** The CSV lines that have one value a field and a card's identity; all others are something it wants to say. */
function parseRows(text: string, fields: readonly Field[]): { rows: Row[]; others: string[] } {
  const rows: Row[] = [];
  const others: string[] = [];
  for (const line of smiLines(text)) {
    const values = line.split(",").map((part) => part.trim());
    const row: Row = new Map(fields.map((field, i) => [field, values[i] ?? ""]));
    const known = value(row, "uuid") !== undefined || value(row, "pci.bus_id") !== undefined;
    if (values.length === fields.length && known) rows.push(row);
    else others.push(line);
  }
  return { rows, others };
}

/** What a program printed, line by line, without what would garble a terminal. */
export const smiLines = (text: string): string[] =>
  text
    .split("\n")
    // Control and direction characters would garble the terminal of whoever reads the note.
    .map((line) => line.replaceAll(/\p{C}/gu, " ").trim())
    .filter((line) => line !== "");

/** What a field of nvidia-smi tells; `[N/A]`, `[Not Supported]`, `[Unknown Error]` and `ERR!` are nothing. */
export const smiValue = (text: string): string | undefined =>
  text === "" || /^\[.*\]$|^(?:N\/A|ERR!|Not Supported|Unknown Error)$/i.test(text) ? undefined : text;

/** A card's identity as nvidia-smi prints it; `undefined` for anything else. */
export const smiUuid = (text: string): string | undefined =>
  /^(?:GPU|MIG)-[0-9a-f-]{36}$/i.test(text) ? text : undefined;

/** A number of nvidia-smi; `1e300` or `0x10` would be numbers, and are none that a card has. */
export const smiNumber = (text: string): number | undefined =>
  /^\d{1,9}(?:\.\d+)?$/.test(text) ? Number(text) : undefined;

function value(row: Row, field: Field): string | undefined {
  const text = smiValue(row.get(field) ?? "");
  if (text === undefined) return undefined;
  if (field === "uuid") return smiUuid(text);
  if (field === "pci.bus_id") return pciAddressOf(text);
  return text;
}

function number(row: Row, field: Field): number | undefined {
  const text = value(row, field);
  return text === undefined ? undefined : smiNumber(text);
}

function asGpu(row: Row): GpuInventory {
  const mebibytes = (field: Field): number | undefined => {
    const amount = number(row, field);
    return amount === undefined ? undefined : Math.round(amount * MIB);
  };
  return {
    name: value(row, "name")?.slice(0, LONGEST_NAME) ?? "NVIDIA GPU",
    vendor: "nvidia",
    ...given(value(row, "uuid"), (uuid) => ({ uuid })),
    ...given(value(row, "pci.bus_id"), (pci) => ({ pci })),
    ...given(pciIdOf(value(row, "pci.device_id")), (pciId) => ({ pciId })),
    ...given(number(row, "index"), (index) => ({ index })),
    ...given(mebibytes("memory.total"), (memoryTotal) => ({ memoryTotal })),
    ...given(mebibytes("memory.used"), (memoryUsed) => ({ memoryUsed })),
    ...given(mebibytes("memory.reserved"), (memoryReserved) => ({ memoryReserved })),
    ...given(/^\d{1,2}\.\d$/.exec(value(row, "compute_cap") ?? "")?.[0], (computeCapability) => ({
      computeCapability,
    })),
    ...given(value(row, "driver_version"), (driver) => ({ driver })),
    ...given(linkOf(row), (link) => ({ link })),
    ...given(number(row, "temperature.gpu"), (temperature) => ({ temperature })),
    ...given(number(row, "power.draw"), (power) => ({ power })),
  };
}

/** The generation the slot allows (what runs now drops when the card idles) and the lanes that are connected. */
function linkOf(row: Row): GpuInventory["link"] {
  const generation = number(row, "pcie.link.gen.max");
  const lanes = number(row, "pcie.link.width.current");
  return generation && lanes ? { generation, lanes } : undefined;
}

/** Source: the banner says `CUDA Version:`, from driver 610 on `CUDA UMD Version:` (unslothai/unsloth#5817). */
async function cudaVersion(
  run: (args: readonly string[]) => Promise<ProgramResult>,
): Promise<string | undefined> {
  const banner = await run([]);
  return banner.ended ? /CUDA(?: UMD)? Version\s*:\s*(\d+\.\d+)/.exec(banner.stdout)?.[1] : undefined;
}
