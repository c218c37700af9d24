/** A sample as it was read back from the exposition. */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadMetrics {
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  readonly samples: readonly ReadSample[];
}

/** Reads Prometheus' text format by its rules, strictly: what is no line of it throws. */
export function readExposition(text: string): ReadMetrics {
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples: ReadSample[] = [];
  if (!text.endsWith("\n")) throw new Error("the last line has no line feed");
  for (const line of text.slice(0, -1).split("\n")) {
    const [, kind, name, rest] = /^# (HELP|TYPE) ([a-z_:]\w*) (.*)$/i.exec(line) ?? [];
    if (line === "# EOF") continue;
    if (kind !== undefined && name !== undefined && rest !== undefined) {
      const table = kind === "HELP" ? helps : types;
      if (table.has(name)) throw new Error(`${kind} of ${name} stands twice`);
      table.set(name, rest);
    } else samples.push(readSample(line));
  }
  return { types, helps, samples };
}

function readSample(line: string): ReadSample {
  const head = /^([a-z_:]\w*)(\{)?/i.exec(line);
  if (head?.[1] === undefined) throw new Error(`no sample: ${line}`);
  let rest = line.slice(head[0].length);
  const labels: Record<string, string> = {};
  while (head[2] !== undefined && !rest.startsWith("}")) {
    const label = /^([a-z_]\w*)="((?:[^"\\\n]|\\["\\n])*)",?/i.exec(rest);
    if (label?.[1] === undefined) throw new Error(`no label: ${rest}`);
    if (label[1] in labels) throw new Error(`${label[1]} stands twice`);
    labels[label[1]] = (label[2] ?? "").replaceAll(/\\(.)/g, (_, mark: string) =>
      mark === "n" ? "\n" : mark,
    );
    rest = rest.slice(label[0].length);
  }
  const value = (head[2] === undefined ? rest : rest.slice(1)).trim();
  if (!/^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.test(value)) throw new Error(`no value: ${line}`);
  const number = value.endsWith("Inf") ? Number(value.replace("Inf", "Infinity")) : Number(value);
  return { name: head[1], labels, value: number };
}

/** The value of the only sample with this name and these labels, others ignored. */
export function valueOf(
  read: ReadMetrics,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = read.samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
  return found[0]?.value;
}
