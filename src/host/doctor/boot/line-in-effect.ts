import { readText } from "../../../inventory/cgroup.ts";
import type { Check, Finding } from "../check.ts";
import { configuredBootLines, hostParts, missingGroups, parseArguments } from "../facts/index.ts";

const ID = "boot.line-in-effect";

/** The line that the running kernel was started with, beside the spec. */
export const lineInEffect: Check = {
  id: ID,
  title: "Boot line in effect",
  async look(subject): Promise<readonly Finding[]> {
    const parts = hostParts(subject);
    const wanted = parts?.bootGroups.map(({ words }) => words) ?? [];
    if (parts === undefined || wanted.length === 0) return [];
    const path = `machines.${parts.host.name}.boot.arguments`;
    const line = readText(`${subject.view.root}proc/cmdline`).trim();
    if (line === "") return [{ check: ID, state: "unknown", seen: "/proc/cmdline cannot be read", path }];
    const missing = missingGroups(wanted, parseArguments(line));
    if (missing.length === 0) return [{ check: ID, state: "ok", seen: line, path }];
    const lines = await configuredBootLines(subject.view);
    const waits =
      lines.length > 0 && lines.every(({ words = [] }) => missingGroups(wanted, words).length === 0);
    return [
      {
        check: ID,
        state: "error",
        seen: `/proc/cmdline is without ${missing.join(" ")}`,
        wanted: wanted.flat().join(" "),
        why: waits
          ? "They are configured for the next boot and not in effect yet."
          : "The kernel was started without them, so what they ask for does not hold.",
        remedy: waits ? "Reboot the host." : "./omni apply --to metal   # then reboot",
        path,
      },
    ];
  },
};
