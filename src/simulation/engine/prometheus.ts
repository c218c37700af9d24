/** One metric in the text form of Prometheus. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const labelled = (labels: Metric["labels"]): string =>
  labels === undefined
    ? ""
    : `{${Object.entries(labels)
        .map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, "\\$&")}"`)
        .join(",")}}`;

/** The metrics as a page. */
export const prometheusText = (metrics: readonly Metric[]): string =>
  metrics
    .map(
      ({ name, help, type, value, labels }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${labelled(labels)} ${value}\n`,
    )
    .join("");
