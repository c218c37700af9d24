import { readText } from "../../../inventory/cgroup.ts";
import { namesIn } from "../../../inventory/folder.ts";

/** What the host's modprobe.d says. Names of modules have underscores, as the kernel lists them. */
export interface ModprobeFiles {
  readonly options: readonly {
    readonly module: string;
    readonly options: readonly string[];
    readonly file: string;
  }[];
  readonly blacklist: readonly { readonly module: string; readonly file: string }[];
  /** `module` waits until all of `pre` were loaded. */
  readonly softdeps: readonly { readonly module: string; readonly pre: readonly string[] }[];
  /** Every file that counts, as paths of the host. */
  readonly files: readonly string[];
}

/** The folders, the first that holds a file of a name wins. Source: modprobe.d(5). */
const FOLDERS = ["etc/modprobe.d", "run/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"] as const;

export const canonicalModule = (name: string): string => name.replaceAll("-", "_");

/** Reads modprobe.d below the root of a host: options, blacklist and soft dependencies. */
export function readModprobeFiles(root: string): ModprobeFiles {
  const byName = new Map<string, string>();
  for (const folder of FOLDERS)
    for (const name of namesIn(root + folder))
      if (name.endsWith(".conf") && !byName.has(name)) byName.set(name, `${folder}/${name}`);
  const files = [...byName].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, path]) => path);
  const lines = files.flatMap((path) =>
    readText(root + path)
      .replaceAll("\\\n", " ")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => ({ words: line.split(/\s+/), file: `/${path}` })),
  );
  const of = (keyword: string): typeof lines => lines.filter(({ words }) => words[0] === keyword);
  return {
    options: of("options").map(({ words: [, module = "", ...options], file }) => ({
      module: canonicalModule(module),
      options,
      file,
    })),
    blacklist: of("blacklist").map(({ words, file }) => ({ module: canonicalModule(words[1] ?? ""), file })),
    softdeps: of("softdep").map(({ words: [, module = "", ...rest] }) => ({
      module: canonicalModule(module),
      pre: preOf(rest).map(canonicalModule),
    })),
    files: files.map((path) => `/${path}`),
  };
}

/** `pre: a b post: c` names a and b. */
function preOf(words: readonly string[]): readonly string[] {
  const start = words.indexOf("pre:");
  if (start === -1) return [];
  const rest = words.slice(start + 1);
  const end = rest.indexOf("post:");
  return end === -1 ? rest : rest.slice(0, end);
}
