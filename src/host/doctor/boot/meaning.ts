import { nearest } from "../../../core/index.ts";
import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding, HostView } from "../check.ts";
import { argumentName, configuredBootLines, parseArguments } from "../facts/index.ts";
import { MYTHS } from "./myths.ts";

const ID = "boot.meaning";

/** Arguments that are often given several times and all count. */
const REPEATABLE =
  /^(?:console|earlycon|hugepagesz|hugepages|memmap|isolcpus|initcall_blacklist|video|root|rd\..*|systemd\..*|modprobe\.blacklist|module_blacklist|efi|pci|iommu|vfio_pci\.ids)$/;

/** What of the boot line, in effect or configured, means nothing or not what it seems to. */
export const meaning: Check = {
  id: ID,
  title: "Meaning of the boot line",
  async look({ view }): Promise<readonly Finding[]> {
    const running = parseArguments(readText(`${view.root}proc/cmdline`));
    const configured = (await configuredBootLines(view)).flatMap(({ words = [] }) => words);
    // The bootloader adds its own words to the running line, so only that one can be judged for repetitions.
    const words = [...new Set([...running, ...configured])];
    const vendor = /^vendor_id\s*:\s*(\S+)$/m.exec(readText(`${view.root}proc/cpuinfo`))?.[1];
    const findings = [
      ...myths(words, vendor),
      ...contradictions(running),
      ...hugepagesTwice(running),
      ...(await unknownParameters(view, words)),
    ];
    if (findings.length > 0 || running.length === 0) return findings;
    return [{ check: ID, state: "ok", seen: `${running.length} arguments, none of them without meaning` }];
  },
};

const myths = (words: readonly string[], vendor: string | undefined): readonly Finding[] =>
  MYTHS.filter((myth) => words.includes(myth.argument) && (myth.vendor ?? vendor) === vendor).map(
    ({ argument, state, why, remedy, source }) => ({
      check: ID,
      subject: argument,
      state,
      seen: `${argument} is on the boot line`,
      why,
      remedy,
      source,
    }),
  );

/** Two values of one parameter: for most of them the last one counts. */
function contradictions(words: readonly string[]): readonly Finding[] {
  const byName = Map.groupBy(words, argumentName);
  return [...byName].flatMap(([name, list]) => {
    const values = [...new Set(list)];
    if (values.length < 2 || REPEATABLE.test(name)) return [];
    return [
      {
        check: ID,
        subject: name,
        state: "warning" as const,
        seen: `the boot line has ${values.join(" and ")}`,
        wanted: "one of them",
        why: `The kernel takes them in order, so that the last one, ${values.at(-1) ?? ""}, is what holds.`,
        remedy: `Remove all but one: grep -rn ${name} /etc/default/grub /etc/default/grub.d /etc/kernel/cmdline`,
      },
    ];
  });
}

/** The first count of a page size holds, later ones are ignored. Source: mm/hugetlb.c. */
function hugepagesTwice(words: readonly string[]): readonly Finding[] {
  const counts = new Map<string, string[]>();
  let size = "the default size";
  for (const word of words) {
    const [name, value = ""] = word.split("=");
    if (name === "hugepagesz") size = value;
    if (name === "hugepages") counts.set(size, [...(counts.get(size) ?? []), value]);
  }
  return [...counts]
    .filter(([, values]) => values.length > 1)
    .map(([page, values]) => ({
      check: ID,
      subject: `hugepages of ${page}`,
      state: "warning" as const,
      seen: `the boot line counts pages of ${page} ${values.length} times: ${values.join(", ")}`,
      wanted: "one count a page size",
      why: `The kernel takes the first, ${values[0] ?? ""}, and ignores the others.`,
      remedy: "Remove all but one from the files of the boot line.",
      source: "Linux mm/hugetlb.c",
    }));
}

/** `vfio_pci.disable_idle=1`: a parameter that the module does not have is ignored with one line in the log. */
async function unknownParameters(view: HostView, words: readonly string[]): Promise<readonly Finding[]> {
  const typed = words.flatMap((word) => {
    const match = /^([a-z]\w*)\.([a-z]\w*)(?:=|$)/i.exec(word.replaceAll("-", "_"));
    return match === null ? [] : [{ word, module: match[1] ?? "", parameter: match[2] ?? "" }];
  });
  const modules = [...new Set(typed.map(({ module }) => module))].filter(
    (name) => !/^(?:rd|systemd|modprobe)$/.test(name),
  );
  const known = new Map(
    await Promise.all(modules.map(async (name) => [name, await parametersOf(view, name)] as const)),
  );
  return typed.flatMap(({ word, module, parameter }) => {
    const parameters = known.get(module);
    if (parameters === undefined || parameters.includes(parameter)) return [];
    const meant = nearest(parameter, parameters);
    return [
      {
        check: ID,
        subject: word,
        state: "warning" as const,
        seen: `the module ${module} has no parameter ${parameter}`,
        ...(meant === undefined ? {} : { wanted: `${module}.${meant}` }),
        why: "The kernel ignores it with one line in its log.",
        remedy: `modinfo -p ${module}   # lists those that it has`,
        source: "modinfo",
      },
    ];
  });
}

/** Names of a module's parameters; `undefined` where modinfo does not know it. */
async function parametersOf(view: HostView, module: string): Promise<readonly string[] | undefined> {
  const said = await view.said(["modinfo", "-p", module]);
  if (!said.ended || said.code !== 0) return undefined;
  return said.stdout.split("\n").flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? []);
}
