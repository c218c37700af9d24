import type { Check, Finding } from "../check.ts";

const ID = "memory.channels";

interface Module {
  readonly place: string;
  readonly filled: boolean;
  /** Million transfers a second, as the module can and as it is run. */
  readonly speed?: number;
  readonly runs?: number;
}

/** Filled memory channels, which bound what a processor can read a second. Only dmidecode knows, and only as root. */
export const channels: Check = {
  id: ID,
  title: "Memory channels",
  async look({ view, host }): Promise<readonly Finding[]> {
    const wanted = host?.memory?.channels;
    if (host === undefined || wanted === undefined) return [];
    const path = `machines.${host.name}.memory.channels`;
    const said = await view.said(["dmidecode", "--type", "17"]);
    const modules = said.ended && said.code === 0 ? modulesIn(said.stdout) : [];
    if (modules.length === 0) {
      const why = said.ended ? said.stderr.trim().split("\n")[0] || "it lists no module" : said.message;
      return [
        { check: ID, state: "unknown", seen: `dmidecode does not tell the memory modules: ${why}`, path },
      ];
    }
    const filled = modules.filter((module) => module.filled);
    const places = new Set(filled.map(({ place }) => place));
    const slow = filled.filter(
      ({ speed, runs }) => speed !== undefined && runs !== undefined && runs < speed,
    );
    const findings = [
      ...(places.size < wanted ? [fewer(places.size, wanted, modules)] : []),
      ...(slow.length > 0 ? [slower(slow)] : []),
    ].map((finding) => ({ ...finding, path }));
    return findings.length > 0
      ? findings
      : [{ check: ID, state: "ok", seen: `${places.size} channels are filled`, path }];
  },
};

function modulesIn(text: string): readonly Module[] {
  return text
    .split(/^Handle /m)
    .filter((section) => /^Memory Device$/m.test(section))
    .map((section) => {
      const value = (key: string): string =>
        new RegExp(`^\\s+${key}: (.*)$`, "m").exec(section)?.[1]?.trim() ?? "";
      const bank = value("Bank Locator");
      const speed = Number.parseInt(value("Speed"), 10);
      const runs = Number.parseInt(value("Configured Memory Speed"), 10);
      return {
        // Two modules of one channel share a bank where the board tells banks by channel.
        place: /channel/i.test(bank) ? bank : value("Locator"),
        filled: !/No Module Installed|^$/.test(value("Size")),
        ...(Number.isInteger(speed) ? { speed } : {}),
        ...(Number.isInteger(runs) ? { runs } : {}),
      };
    });
}

function fewer(filled: number, wanted: number, modules: readonly Module[]): Finding {
  const empty = modules.filter((module) => !module.filled).map(({ place }) => place);
  return {
    check: ID,
    subject: "filled",
    state: "warning",
    seen: `${filled} channels are filled${empty.length === 0 ? "" : `; empty: ${empty.join(", ")}`}`,
    wanted: String(wanted),
    why: `Layers in main memory are read at ${Math.round((filled / wanted) * 100)} % of the speed that was planned.`,
    remedy: "Fill one module a channel before a second anywhere; the board's manual says which slots.",
  };
}

const slower = (slow: readonly Module[]): Finding => ({
  check: ID,
  subject: "speed",
  state: "note",
  seen: `${slow.length} modules run at ${slow[0]?.runs ?? ""} MT/s`,
  wanted: `${slow[0]?.speed ?? ""} MT/s`,
  why: "Layers in main memory are read as much slower.",
  remedy:
    "Turn the memory profile (EXPO, XMP) on in the BIOS, if board and processor allow it with this many modules.",
});
