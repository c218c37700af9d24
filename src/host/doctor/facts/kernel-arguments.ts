/** The words of a boot line: apart by spaces, which double quotes keep together. Source: lib/cmdline.c of Linux. */
export const parseArguments = (line: string): readonly string[] =>
  line.trim().match(/(?:[^\s"]|"[^"]*")+/g) ?? [];

/** The kernel takes `-` and `_` in the name of a parameter for the same. Source: kernel-parameters.rst. */
const canonical = (argument: string): string => {
  const [name = "", ...value] = argument.split("=");
  return [name.replaceAll("-", "_"), ...value].join("=");
};

/** Whether two words say the same to the kernel. */
const sameArgument = (one: string, other: string): boolean => canonical(one) === canonical(other);

/** Name of a parameter as the kernel compares it; `vfio_pci.ids` of `vfio-pci.ids=…`. */
export const argumentName = (argument: string): string => canonical(argument).split("=")[0] ?? "";

/** The wanted groups of words that a boot line does not have, each in one piece as it is written. */
export function missingGroups(
  wanted: readonly (readonly string[])[],
  line: readonly string[],
): readonly string[] {
  const startsAt = (group: readonly string[], at: number): boolean =>
    group.every((word, offset) => sameArgument(word, line[at + offset] ?? ""));
  return wanted.filter((group) => !line.some((_, at) => startsAt(group, at))).map((group) => group.join(" "));
}
