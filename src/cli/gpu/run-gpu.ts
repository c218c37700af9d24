import { EXIT, nearest, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { bindCards, observeCards, openSwitch, restoreCards } from "../../host/gpu/index.ts";
import type { HostTo } from "../../host/gpu/index.ts";
import { openSwitches } from "../../store/index.ts";
import type { SwitchTable } from "../../store/index.ts";
import type { Invocation } from "../command.ts";
import { stateFolder } from "../state-folder.ts";
import type { Terminal } from "../terminal.ts";
import { chooseCards } from "./gpu-cards.ts";
import type { ChosenCards } from "./gpu-cards.ts";
import { openGpuHost } from "./gpu-host.ts";
import { showCards } from "./gpu-view.ts";

const ACTIONS = ["status", "bind", "restore"] as const;
const DRIVERS = ["vfio", "nvidia"] as const;

/** Shows cards, or moves them. Throws `OmniError` of the codes `gpu.*`, `host.*` and `cli.bad-argument`. */
export async function runGpu(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const [typed = "", driver] = invocation.positionals;
  const action = ACTIONS.find((known) => known === typed);
  if (action === undefined) throw unknownWord(typed, ACTIONS, "./omni gpu");
  const to = DRIVERS.find((known) => known === driver);
  if (action === "bind" && to === undefined) throw unknownWord(driver ?? "", DRIVERS, "./omni gpu bind");
  if (action !== "bind" && driver !== undefined)
    throw new OmniError("cli.bad-argument", `${action} takes no argument ${JSON.stringify(driver)}.`, {
      hint: `A card is named by --card ${driver}.`,
    });
  const { host, found } = await openGpuHost(invocation);
  const book = openSwitches(stateFolder());
  try {
    const chosen = await chosenCards(host, found, invocation.values("card"));
    const request: GpuRequest = { host, chosen, book, invocation, terminal };
    if (action === "status") return await showStatus(request);
    return await withoutInterrupt(terminal, () => move(request, to));
  } finally {
    book.close();
    await host.close();
  }
}

interface GpuRequest {
  readonly host: HostTo;
  readonly chosen: ChosenCards;
  readonly book: SwitchTable;
  readonly invocation: Invocation;
  readonly terminal: Terminal;
}

function unknownWord(typed: string, known: readonly string[], command: string): OmniError {
  const meant = nearest(typed, known);
  return new OmniError(
    "cli.bad-argument",
    typed === ""
      ? `${command} needs one of: ${known.join(", ")}.`
      : `${JSON.stringify(typed)} is nothing that ${command} knows.`,
    { hint: meant === undefined ? `One of: ${known.join(", ")}.` : `Did you mean ${command} ${meant}?` },
  );
}

/** A card may be named by its UUID, which only the host knows. */
async function chosenCards(
  host: HostTo,
  found: ChosenCards,
  wanted: readonly string[],
): Promise<ChosenCards> {
  if (!wanted.some((name) => name.startsWith("GPU-"))) return chooseCards(found, wanted, new Map());
  const { cards } = await observeCards(host, found.cards);
  const uuids = cards.flatMap(({ uuid, slot }) => (uuid === undefined ? [] : [[uuid, slot] as const]));
  return chooseCards(found, wanted, new Map(uuids));
}

async function showStatus({ host, chosen, book, invocation, terminal }: GpuRequest): Promise<ExitCode> {
  const seen = await observeCards(host, chosen.cards);
  const open = openSwitch(book.of(host.name, seen.boot));
  if (invocation.flag("json"))
    terminal.out(JSON.stringify({ host: host.name, ...seen, unfinished: open ?? null }, null, 2));
  else showCards(host.name, seen, open, terminal);
  return EXIT.done;
}

async function move(
  { host, chosen, book, invocation, terminal }: GpuRequest,
  to: (typeof DRIVERS)[number] | undefined,
): Promise<ExitCode> {
  if (chosen.cards.length === 0)
    throw new OmniError("cli.bad-argument", `No NVIDIA card on the PCI bus of ${host.name}.`, {
      hint: "lspci -D -d 10de: shows what the kernel sees.",
    });
  const json = invocation.flag("json");
  const request = {
    host,
    cards: chosen.cards,
    book,
    consent: { yes: invocation.flag("yes"), tokens: invocation.values("consent") },
    dryRun: invocation.flag("dry-run"),
    told: (stream: "stdout" | "stderr", text: string): void => {
      const line = text.replace(/\n$/, "");
      if (json || stream === "stderr") terminal.err(line);
      else terminal.out(line);
    },
  };
  const result =
    to === undefined ? await restoreCards(request) : await bindCards({ ...request, to, order: chosen.order });
  if (json) terminal.out(JSON.stringify({ host: host.name, dryRun: request.dryRun, ...result }, null, 2));
  else if (to === undefined && !("undone" in result))
    terminal.out(
      "Nothing to restore: no switch since the host booted, or all of them are undone. A reboot undoes everything by itself.",
    );
  else if (to === "vfio" && result.changed) terminal.out(LASTS);
  return EXIT.done;
}

const LASTS = "This lasts until the next reboot; ./omni gpu restore brings back what was there before.";

/** A switch that is cut in two leaves half a card: Ctrl-C waits for its end, which the script bounds itself. */
async function withoutInterrupt(terminal: Terminal, act: () => Promise<ExitCode>): Promise<ExitCode> {
  const wait = (): void => terminal.err("The switch ends first, so that no card is left half moved.");
  process.on("SIGINT", wait);
  try {
    return await act();
  } finally {
    process.off("SIGINT", wait);
  }
}
