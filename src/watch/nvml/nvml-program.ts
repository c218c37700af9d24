/**
 * The program that holds NVML. A process of its own, because a driver can hang a call forever where no signal reaches
 * it, and a fault in native code ends a process: neither may take the node along. It ends with the node, by its channel.
 */
import { messageOf } from "../../core/index.ts";
import { AttachedCards } from "./attached-cards.ts";
import { EVENT, NVML } from "./constants.ts";
import { loadNvml } from "./library.ts";
import type { NvmlEvent, NvmlLibrary } from "./library.ts";
import { askSchema } from "./messages.ts";
import type { Tell } from "./messages.ts";

/** Milliseconds of one wait for events; what is lost is let go between two. */
const WAIT = 2000;
/** Milliseconds in which further Xids of a storm are gathered. */
const GATHER = 250;

const [paths = "", retryText = "30000"] = process.argv.slice(2);
/** Milliseconds between two attempts to get a lost card back. */
const RETRY = Number(retryText);

const tell = (message: Tell): void => {
  if (process.connected) process.send?.(message, () => {});
};

async function run(): Promise<void> {
  const library = await loadFirst(paths.split("|"));
  if (typeof library === "string") return tell({ kind: "unavailable", reason: library });
  const cards = new AttachedCards(library);
  const refusal = cards.attach();
  if (refusal !== undefined) return tell({ kind: "unavailable", reason: refusal });
  const state = { reattachAt: Infinity };
  process.on("message", (message: unknown) => {
    const { id, all } = askSchema.parse(message);
    const seen = cards.look(all);
    tell({ kind: "look", id, cards: seen.cards, lost: seen.lost });
    if (!cards.anyGone) state.reattachAt = Infinity;
    // At once, so that it can be reset; then now and then, for it may be back.
    else if (state.reattachAt === Infinity) state.reattachAt = performance.now();
    if (cards.events === undefined) reattachWhenDue(cards, state);
  });
  tell({ kind: "ready", events: cards.events !== undefined });
  await followEvents(library, cards, state);
}

/** The first that can be loaded, or why the first cannot. */
async function loadFirst(paths: readonly string[]): Promise<NvmlLibrary | string> {
  let refusal: string | undefined;
  for (const path of paths) {
    try {
      return await loadNvml(path);
    } catch (thrown) {
      refusal ??= `${path} cannot be loaded: ${messageOf(thrown)}`;
    }
  }
  return refusal ?? "no library of NVML is named";
}

function reattachWhenDue(cards: AttachedCards, state: { reattachAt: number }): void {
  if (performance.now() < state.reattachAt) return;
  cards.reattach();
  state.reattachAt = performance.now() + RETRY;
  if (!cards.anyGone) tell({ kind: "changed" });
}

async function followEvents(
  library: NvmlLibrary,
  cards: AttachedCards,
  state: { reattachAt: number },
): Promise<void> {
  const gathered = new Map<string, Extract<Tell, { kind: "xid" }>>();
  while (process.connected) {
    reattachWhenDue(cards, state);
    const { wait } = library;
    if (wait === undefined || cards.events === undefined) {
      if (wait === undefined) return;
      await pause(WAIT);
      continue;
    }
    const event = await wait(cards.events, WAIT);
    if (event.status === NVML.success) onEvent(cards, event, gathered);
    else if (event.status !== NVML.timeout) {
      tell({ kind: "changed" });
      await pause(WAIT);
    }
  }
}

/** The first Xid of a kind is told at once, what follows closely is told together. */
function onEvent(
  cards: AttachedCards,
  event: NvmlEvent,
  gathered: Map<string, Extract<Tell, { kind: "xid" }>>,
): void {
  if (event.type !== EVENT.xid) return tell({ kind: "changed" });
  const card = cards.find(event.device);
  const key = `${event.device} ${event.data}`;
  const before = gathered.get(key);
  if (before !== undefined) return void gathered.set(key, { ...before, count: before.count + 1 });
  const notice = {
    kind: "xid" as const,
    ...(card === undefined ? {} : { uuid: card.uuid }),
    ...(card?.pci === undefined ? {} : { pci: card.pci }),
    xid: event.data,
  };
  tell({ ...notice, count: 1 });
  gathered.set(key, { ...notice, count: 0 });
  setTimeout(() => {
    const since = gathered.get(key);
    gathered.delete(key);
    if (since !== undefined && since.count > 0) tell(since);
  }, GATHER);
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

// The node ends this program; a signal to the terminal's whole group is not meant for it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
// A wait of the library may be under way on another thread, which an orderly exit would wait for.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
// The node may have gone while this program was being loaded, before anybody listened.
if (process.connected) await run();
