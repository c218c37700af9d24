/** All samples of one name. Ranks that work on the same requests count once: the largest of them. */
export interface PrometheusSamples {
  /** Over all label sets. */
  readonly sum: number;
  readonly max: number;
}

/** Workers that share one queue each tell the same figure (SGLang, one sample a rank); data parallel ranks do not. */
const SAME_WORK = new Set(["tp_rank", "pp_rank", "moe_ep_rank", "attn_tp_rank", "pid"]);
const LABEL = /([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g;

/**
 * Reads samples of these names from the text exposition format, tolerantly: what is no sample is passed over, and so are
 * NaN and infinities. Source: https://prometheus.io/docs/instrumenting/exposition_formats/.
 */
export function readPrometheusText(
  text: string,
  names: ReadonlySet<string>,
): ReadonlyMap<string, PrometheusSamples> {
  const found = new Map<string, Map<string, number>>();
  for (const line of text.split("\n")) {
    const name = nameOf(line);
    if (name === undefined || !names.has(name)) continue;
    const sample = sampleOf(line, name.length);
    if (sample === undefined) continue;
    const byLabels = found.get(name) ?? new Map<string, number>();
    byLabels.set(sample.labels, Math.max(sample.value, byLabels.get(sample.labels) ?? sample.value));
    found.set(name, byLabels);
  }
  return new Map([...found].map(([name, byLabels]) => [name, summed([...byLabels.values()])]));
}

const summed = (values: readonly number[]): PrometheusSamples => ({
  sum: values.reduce((sum, value) => sum + value, 0),
  max: values.reduce((max, value) => Math.max(max, value), -Infinity),
});

function nameOf(line: string): string | undefined {
  if (line.startsWith("#")) return undefined;
  const end = line.search(/[{\s]/);
  return end <= 0 ? undefined : line.slice(0, end);
}

/** Labels but those of `SAME_WORK`, and the value; `undefined` where there is no finite one. */
function sampleOf(line: string, at: number): { readonly labels: string; readonly value: number } | undefined {
  const labelled = line[at] === "{";
  const end = labelled ? endOfLabels(line, at + 1) : at;
  if (end === undefined) return undefined;
  const [written = ""] = line.slice(end).trim().split(/\s+/, 1);
  const value = written === "" ? Number.NaN : Number(written);
  if (!Number.isFinite(value)) return undefined;
  return { labels: labelled ? labelsOf(line.slice(at + 1, end - 1)) : "", value };
}

/** Position after the closing brace; a brace within a label's value does not close. */
function endOfLabels(line: string, from: number): number | undefined {
  let quoted = false;
  for (let index = from; index < line.length; index++) {
    const character = line[index];
    if (quoted && character === "\\") index++;
    else if (character === '"') quoted = !quoted;
    else if (character === "}" && !quoted) return index + 1;
  }
  return undefined;
}

const labelsOf = (text: string): string =>
  [...text.matchAll(LABEL)]
    .filter(([, name = ""]) => !SAME_WORK.has(name))
    .map(([whole]) => whole)
    .toSorted()
    .join(",");
