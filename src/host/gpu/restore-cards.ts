import { OmniError } from "../../core/index.ts";
import { switchProgram } from "../../render/proxmox/gpu-switch/index.ts";
import { OUTCOMES, settle, SWITCH } from "./bind-cards.ts";
import type { BindResult, SwitchRequest } from "./bind-cards.ts";
import type { CardFacts } from "./card-facts.ts";
import { observeCards } from "./observe-cards.ts";
import { PUT_BACK } from "./put-back-script.ts";
import { runScript } from "./run-script.ts";
import { lastSwitch, openSwitch, sameStates, statesOf } from "./switch-record.ts";
import type { FunctionState, SwitchRecord } from "./switch-record.ts";
import { unlockedOptions } from "./unbind-consent.ts";

/** What came of bringing cards back. */
export interface RestoreResult extends BindResult {
  /** The switch that was undone; absent where there was none. */
  readonly undone?: SwitchRecord;
}

/**
 * Puts every function of these cards back where it was before the last switch of this boot, also where that was cut off.
 * A switch is undone when all of its functions are back. Throws `OmniError` `gpu.refused`, `gpu.consent` and `gpu.failed`,
 * which names what could not be brought back.
 */
export async function restoreCards(request: SwitchRequest): Promise<RestoreResult> {
  const { host, cards, book, dryRun } = request;
  const seen = await observeCards(host, cards);
  const records = book.of(host.name, seen.boot);
  const target = lastSwitch(records);
  const before = statesOf(seen);
  if (target === undefined) {
    // A restore that was cut off behind its last function has nothing left to do.
    const left = openSwitch(records);
    if (left !== undefined && !dryRun) book.undo(left.id);
    return { functions: before, changed: false };
  }
  const chosen = target.before.filter(({ address }) => before.some((state) => state.address === address));
  const absent = wantedOf(request, target).filter(
    ({ address }) => !before.some((state) => state.address === address),
  );
  const options = unlockedOptions(
    seen.cards.filter((card) => moves(card, chosen)),
    chosen.some(({ driver }) => driver === "vfio-pci"),
    request.consent,
  );
  const words = [...options, ...(dryRun ? ["--dry-run"] : []), ...chosen.map(recordWord)];
  const script = switchProgram({ cards, withoutAddress: [] }, ["audio", "video"], PUT_BACK);
  if (dryRun) {
    settle((await runScript(host, script, words, SWITCH, request.told)).code, host);
    return { functions: before, changed: false, undone: target };
  }
  const id = book.begin({ host: host.name, boot: seen.boot, action: "restore", before });
  const { code } = await runScript(host, script, words, SWITCH, request.told);
  const after = statesOf(await observeCards(host, cards));
  if (id !== undefined) book.end(id, OUTCOMES.get(code) ?? "failed", after);
  settle(code, host);
  if (absent.length > 0) throw gone(absent);
  closeUndone(request, target, after, records);
  return { functions: after, changed: !sameStates(before, after), undone: target };
}

/** Functions of the record that belong to the chosen cards. */
const wantedOf = ({ cards }: SwitchRequest, target: SwitchRecord): readonly FunctionState[] =>
  target.before.filter(({ address }) => cards.some(({ slot }) => address.startsWith(`${slot}.`)));

/** The switch, and restores of it that were cut off, are settled when every function of it is back. */
function closeUndone(
  { book }: SwitchRequest,
  target: SwitchRecord,
  after: readonly FunctionState[],
  records: readonly SwitchRecord[],
): void {
  if (!sameStates(target.before, after)) return;
  book.undo(target.id);
  for (const { id, ended, undone, action } of records)
    if (action === "restore" && ended === undefined && undone === undefined) book.undo(id);
}

const moves = (card: CardFacts, wanted: readonly FunctionState[]): boolean =>
  card.functions.some((one) =>
    wanted.some(({ address, driver }) => address === one.address && driver !== one.driver),
  );

/** `0000:f1:00.0,nvidia,-`. Names of drivers are the kernel's; anything else never reaches the script. */
function recordWord({ address, driver, override }: FunctionState): string {
  const word = `${address},${driver || "-"},${override || "-"}`;
  if (/^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7],[\w-]+,[\w-]+$/.test(word)) return word;
  throw new OmniError(
    "gpu.failed",
    `The record of ${address} names ${JSON.stringify(driver)} and ${JSON.stringify(override)}, which are no drivers.`,
  );
}

const gone = (absent: readonly FunctionState[]): OmniError =>
  new OmniError(
    "gpu.failed",
    `${absent.map(({ address, driver }) => `${address} (was on ${driver || "no driver"})`).join(", ")} cannot be brought back: the device is not on the bus any more. Everything else is back.`,
    { hint: "A card that fell off the bus comes back by power off and on: dmesg | grep -i pci" },
  );
