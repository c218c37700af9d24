/** What nvidia-smi was asked for. */
export interface SmiOptions {
  readonly list: boolean;
  readonly fields?: readonly string[];
  readonly apps?: readonly string[];
  readonly header: boolean;
  readonly units: boolean;
  /** Indices, UUIDs or bus ids of the cards; all when absent. */
  readonly ids?: readonly string[];
  /** Milliseconds between two looks. */
  readonly every?: number;
}

/** Reads the command line; a text is the refusal of the real program. */
export function readOptions(args: readonly string[]): SmiOptions | string {
  const options: { -readonly [name in keyof SmiOptions]: SmiOptions[name] } = {
    list: false,
    header: true,
    units: true,
  };
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = split(args[i] ?? "");
    const value = (): string => inline ?? args[++i] ?? "";
    if (name === "-L" || name === "--list-gpus") options.list = true;
    else if (name === "--query-gpu") options.fields = names(value());
    else if (name === "--query-compute-apps") options.apps = names(value());
    else if (name === "--format") Object.assign(options, formatOf(value()));
    else if (name === "-i" || name === "--id") options.ids = names(value());
    else if (name === "-lms" || name === "--loop-ms") options.every = loop(value(), 1);
    else if (name === "-l" || name === "--loop") options.every = loop(value(), 1000);
    else return `Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n`;
  }
  return options;
}

function split(argument: string): readonly [string, string?] {
  const equals = argument.indexOf("=");
  return equals < 0 ? [argument] : [argument.slice(0, equals), argument.slice(equals + 1)];
}

const names = (text: string): readonly string[] => text.split(",").map((name) => name.trim());

function formatOf(text: string): Pick<SmiOptions, "header" | "units"> {
  const words = names(text);
  return { header: !words.includes("noheader"), units: !words.includes("nounits") };
}

/** Five seconds when no number follows, as the man page says. */
const loop = (text: string, unit: number): number => Math.max(1, (Number(text) || 5000 / unit) * unit);
