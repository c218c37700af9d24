/** Flags that a line of help begins with: `-c,    --ctx-size N`, `  --tensor-parallel-size TP, --tp TP`. */
const FLAG = /(?:^|[,\s[|(])(--?[A-Za-z][\w.-]*)/g;

/**
 * Flags that a help text knows. Those of llama-server stand at the beginning of a line before two spaces; Python's argparse
 * indents by two, gives each spelling its value, and repeats all of them in the usage.
 */
export function helpFlags(help: string): ReadonlySet<string> {
  const flags = new Set<string>();
  for (const line of help.split("\n")) {
    const head = /^ {0,4}(?=-)/.test(line) ? headOf(line.trimStart()) : usageOf(line);
    for (const [, flag = ""] of head.matchAll(FLAG)) flags.add(flag);
  }
  return flags;
}

/** What stands before the description; flags that the description mentions are no proof that they exist. */
const headOf = (line: string): string => line.replace(/(?<=[^,\s]) {2,}.*$/s, "").slice(0, 400);

/** `usage: launch_server.py [-h] --model-path MODEL_PATH`, and the lines that continue it. */
const usageOf = (line: string): string => (/^usage:|^\s+\[-/.test(line) ? line.slice(0, 400) : "");
