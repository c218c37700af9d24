import { OmniError } from "../../core/index.ts";
import { newKey, newRotation, recentUsage, shownOfSpec, shownStored } from "../../keys/index.ts";
import type { KeyStore } from "../../store/stored-key.ts";
import type { Invocation } from "../command.ts";
import { presentKeys } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import type { Terminal } from "../terminal.ts";
import { expiryOf, graceOf, keyName, mayOf } from "./key-options.ts";
import { datedKey, mayText, reportKeys, reportUsage } from "./key-view.ts";

/** What an action of `omni keys` works with. */
export interface KeyAction {
  readonly store: KeyStore;
  readonly located: LocatedSpec;
  readonly invocation: Invocation;
  readonly terminal: Terminal;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const say = ({ invocation, terminal }: KeyAction, document: unknown, text: () => void): void => {
  if (invocation.flag("json")) terminal.out(JSON.stringify(document, null, 2));
  else text();
};

/** A key as it would be changed, when only that is asked. */
const isRehearsal = ({ invocation }: KeyAction): boolean => invocation.flag("dry-run");

async function create(action: KeyAction): Promise<void> {
  const { store, located, invocation, terminal, now } = action;
  const name = keyName(invocation.positionals[1], "create");
  if (Object.hasOwn(located.spec.keys, name)) {
    throw new OmniError(
      "key.exists",
      `${located.origin} has a key ${name}, which goes before a created one.`,
      {
        hint: "Choose another name, or change the key in the spec.",
      },
    );
  }
  const may = mayOf(invocation);
  const expires = expiryOf(invocation.value("expires"), now);
  const { key, secret } = newKey({ name, may, expires }, now);
  const before = await store.list();
  if (isRehearsal(action)) {
    if (before.some((known) => known.name === name && known.revoked === undefined))
      throw new OmniError("key.exists", `There is a key ${name} already.`);
    const { prefix: _prefix, ...shown } = datedKey(shownStored(key, now));
    say(action, { dryRun: true, ...shown }, () =>
      terminal.out(`Would create the key ${name}: ${mayText(may)}.`),
    );
    return;
  }
  await store.create(key);
  say(action, { ...datedKey(shownStored(key, now)), secret }, () => {
    terminal.err(`The key ${name}: ${mayText(may)}. It is shown this once and kept as a hash only:`);
    terminal.out(secret);
  });
  if (before.length === 0 && Object.keys(located.spec.keys).length === 0)
    terminal.err("It is the first key: from now on the node asks everyone for one, on this machine too.");
}

async function list(action: KeyAction): Promise<void> {
  const { store, located, invocation, terminal, now } = action;
  const { keys } = await presentKeys(located);
  const set = new Set(keys.map(({ caller }) => caller.key));
  const ofSpec = shownOfSpec(located.spec.keys, set, now);
  const stored = (await store.list()).map((key) => shownStored(key, now));
  const shown = [...ofSpec, ...stored.filter(({ state }) => invocation.flag("all") || state !== "revoked")];
  say(action, { keys: shown.map(datedKey) }, () => {
    if (shown.length > 0) reportKeys(shown, terminal);
    else if (stored.length === 0)
      terminal.out(
        "There are no keys: whoever is on this machine may use the node. ./omni keys create NAME makes one.",
      );
    else
      terminal.out(
        "No key is in force, so that a node refuses everyone. ./omni keys create NAME makes one; --all shows those revoked.",
      );
  });
}

async function rotate(action: KeyAction): Promise<void> {
  const { store, invocation, terminal, now } = action;
  const name = keyName(invocation.positionals[1], "rotate");
  const grace = graceOf(invocation.value("grace"));
  const { rotation, secret } = newRotation(grace, now);
  const told = grace === 0 ? {} : { oldSecretUntil: new Date(now + grace).toISOString() };
  const ends =
    grace === 0
      ? "ends at once"
      : `is good until ${new Date(now + grace).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  if (isRehearsal(action)) {
    await known(action, name);
    say(action, { dryRun: true, name, ...told }, () =>
      terminal.out(`Would give the key ${name} a new secret; the old one ${ends}.`),
    );
    return;
  }
  await store.rotate(name, rotation);
  say(action, { name, secret, prefix: rotation.prefix, ...told }, () => {
    terminal.err(`The new secret of ${name}, shown this once; the old one ${ends}:`);
    terminal.out(secret);
  });
}

async function revoke(action: KeyAction): Promise<void> {
  const { store, invocation, terminal, now } = action;
  const name = keyName(invocation.positionals[1], "revoke");
  const forget = invocation.flag("forget");
  const found = (await store.list()).find((key) => key.name === name);
  const done = found?.revoked !== undefined && forget;
  if (isRehearsal(action)) {
    if (!done) await known(action, name);
    say(action, { dryRun: true, name, forget }, () =>
      terminal.out(`Would ${forget ? "delete" : "revoke"} the key ${name}.`),
    );
    return;
  }
  if (!done) await store.revoke(name, now);
  if (forget) await store.forget(name);
  say(action, { name, revoked: new Date(now).toISOString(), forgotten: forget }, () =>
    terminal.out(
      `The key ${name} is ${forget ? "deleted" : "revoked"}; a running node refuses it within a second.`,
    ),
  );
}

async function known({ store, located }: KeyAction, name: string): Promise<void> {
  const found = (await store.list()).find((key) => key.name === name && key.revoked === undefined);
  if (found !== undefined) return;
  const inSpec = Object.hasOwn(located.spec.keys, name);
  throw new OmniError("key.unknown", `There is no created key ${name} that is in force.`, {
    hint: inSpec ? `${located.origin} has it: change it there.` : "./omni keys list shows those that are.",
  });
}

async function usage(action: KeyAction): Promise<void> {
  const { store, invocation, terminal, now } = action;
  const [, key] = invocation.positionals;
  const rows = await recentUsage(store, { days: daysOf(invocation.value("days")), key }, now);
  say(action, { usage: rows }, () => reportUsage(rows, terminal));
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const days = Number(text);
  if (/^\d{1,4}$/.test(text) && days > 0) return days;
  throw new OmniError(
    "cli.bad-argument",
    `--days needs a whole number from 1 to 9999, not ${JSON.stringify(text)}.`,
  );
}

/** What `omni keys` can do; `changes` writes. */
export const KEY_ACTIONS: ReadonlyMap<
  string,
  { readonly changes: boolean; readonly run: (action: KeyAction) => Promise<void> }
> = new Map([
  ["create", { changes: true, run: create }],
  ["list", { changes: false, run: list }],
  ["rotate", { changes: true, run: rotate }],
  ["revoke", { changes: true, run: revoke }],
  ["usage", { changes: false, run: usage }],
]);
