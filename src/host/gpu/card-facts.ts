import { OmniError } from "../../core/index.ts";

/** A PCI function of a card as the host shows it. Empty where there is nothing. */
export interface FunctionFacts {
  /** `0000:f1:00.0`. */
  readonly address: string;
  readonly present: boolean;
  readonly driver: string;
  readonly override: string;
  readonly iommuGroup: string;
  readonly powerState: string;
  readonly resetMethods: readonly string[];
  readonly numaNode: string;
  readonly bootVga: boolean;
  /** Other functions of its IOMMU group, bridges left out, with their drivers. */
  readonly siblings: readonly { readonly address: string; readonly driver: string }[];
}

/** A program that has a device file of the card open. */
export interface CardUser {
  readonly pid: number;
  readonly program: string;
  readonly file: string;
  /** vm: a running VM. own: the card itself. control: a node of all NVIDIA cards. writer: a switch at work. */
  readonly kind: "vm" | "own" | "control" | "writer";
}

export interface CardFacts {
  readonly name: string;
  /** `0000:f1:00`. */
  readonly slot: string;
  /** Known while NVIDIA's driver has the card. */
  readonly uuid?: string;
  readonly functions: readonly FunctionFacts[];
  readonly users: readonly CardUser[];
  /** Not everything that uses the card can be seen. */
  readonly usersUnknown: boolean;
}

const LOCK_STATES = ["running", "dead", "stuck"] as const;

/** Cards of a host at one moment. */
export interface HostCards {
  /** The kernel's boot_id. */
  readonly boot: string;
  /** A switch that holds the lock: at work, gone without tidying up, or stuck inside the kernel. */
  readonly lock?: { readonly state: (typeof LOCK_STATES)[number]; readonly pid: string };
  readonly cards: readonly CardFacts[];
}

/** Reads the lines of the facts script. Throws `OmniError` `gpu.unreadable` where it told no boot_id. */
export function parseFacts(output: string, hostName: string): HostCards {
  const rows = output.split("\n").map((line) => line.split("\t"));
  const of = (kind: string): string[][] => rows.filter((row) => row[0] === kind).map((row) => row.slice(1));
  const boot = of("boot")[0]?.[0] ?? "";
  if (boot === "") {
    throw new OmniError(
      "gpu.unreadable",
      `${hostName} does not tell its boot_id, so nothing can be recorded.`,
      {
        hint: "See that /proc is mounted on the host: cat /proc/sys/kernel/random/boot_id",
      },
    );
  }
  const siblings = of("sibling");
  const functions = of("function").map((row) => functionOf(row, siblings));
  const users = of("user");
  const blind = new Set(of("blind").map(([slot]) => slot));
  const cards = of("card").map(([slot = "", name = "", uuid = ""]) => ({
    name,
    slot,
    ...(uuid === "" ? {} : { uuid }),
    functions: functions.filter(({ address }) => address.startsWith(`${slot}.`)),
    users: users.filter((row) => row[0] === slot).flatMap(userOf),
    usersUnknown: blind.has(slot),
  }));
  const [word, pid = "unknown"] = of("lock")[0] ?? [];
  const state = LOCK_STATES.find((known) => known === word);
  return { boot, cards, ...(state === undefined ? {} : { lock: { state, pid } }) };
}

function functionOf(row: readonly string[], siblings: readonly (readonly string[])[]): FunctionFacts {
  const [
    address = "",
    there,
    driver = "",
    override = "",
    group = "",
    power = "",
    resets = "",
    node = "",
    vga,
  ] = row;
  return {
    address,
    present: there === "yes",
    driver,
    override,
    iommuGroup: group,
    powerState: power,
    resetMethods: resets.split(" ").filter((method) => method !== ""),
    numaNode: node === "-1" ? "" : node,
    bootVga: vga === "1",
    siblings: siblings
      .filter(([of]) => of === address)
      .map(([, other = "", driver = ""]) => ({ address: other, driver })),
  };
}

function userOf([, pid = "", program = "", file = "", kind = ""]: readonly string[]): CardUser[] {
  const known = (["vm", "own", "control", "writer"] as const).find((one) => one === kind);
  return known === undefined ? [] : [{ pid: Number(pid), program, file, kind: known }];
}
