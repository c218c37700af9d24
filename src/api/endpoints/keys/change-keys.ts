import { setTimeout } from "node:timers/promises";
import { OmniError, present } from "../../../core/index.ts";
import { checkedKeyName, newKey, newRotation, shownStored } from "../../../keys/index.ts";
import type { KeyMay, StoredKey } from "../../../store/stored-key.ts";
import type { Answer } from "../../contract/index.ts";
import { allKeys } from "./key-desk.ts";
import type { KeyDesk } from "./key-desk.ts";
import { closesOut, hasAdmin, isLastAdmin } from "./key-lockout.ts";

/** A key that is asked for. Times are milliseconds since the epoch. */
interface AskedKey {
  readonly name: string;
  readonly may: KeyMay;
  readonly expires?: number | undefined;
  /** Also where nobody could change the node over the API then. */
  readonly force: boolean;
}

/** Makes a key and has it in force. Rejects with OmniError `key.name`, `key.exists`, `key.last-admin`, `store.unwritable`. */
export async function createKey(desk: KeyDesk, asked: AskedKey): Promise<Answer<"POST /api/keys">> {
  const name = checkedKeyName(asked.name);
  const { origin, keys } = desk.ofSpec();
  if (Object.hasOwn(keys, name)) {
    throw new OmniError("key.exists", `${origin} has a key ${name}, which goes before a created one.`, {
      hint: "Choose another name, or change the key in the spec.",
    });
  }
  const now = Date.now();
  if (!asked.force && !asked.may.admin && !hasAdmin(await allKeys(desk, now))) throw closesOut(name);
  const { key, secret } = newKey({ ...asked, name }, now);
  const wasOpen = desk.open();
  await written(() => desk.store.create(key));
  await desk.lookNow();
  return { key: shownStored(key, now), secret, first: wasOpen && !desk.open() };
}

/** Gives a key another secret. Rejects with OmniError `key.unknown`, `key.of-spec`, `store.unwritable`. */
export async function rotateKey(
  desk: KeyDesk,
  name: string,
  grace: number,
): Promise<Answer<"POST /api/keys/{name}/rotate">> {
  await inStore(desk, name);
  const now = Date.now();
  const { rotation, secret } = newRotation(grace, now);
  await written(() => desk.store.rotate(name, rotation));
  await desk.lookNow();
  return { key: shownStored(await inStore(desk, name), now), secret };
}

/** Revokes a key. Rejects with OmniError `key.unknown`, `key.of-spec`, `key.last-admin`, `store.unwritable`. */
export async function revokeKey(
  desk: KeyDesk,
  name: string,
  force: boolean,
): Promise<Answer<"DELETE /api/keys/{name}">> {
  await inStore(desk, name);
  const now = Date.now();
  const before = await allKeys(desk, now);
  if (!force && hasAdmin(before) && !hasAdmin(before, name)) throw isLastAdmin(name);
  await written(() => desk.store.revoke(name, now));
  await desk.lookNow();
  return { name, revoked: now };
}

/** The key of the store that is not revoked. */
async function inStore({ store, ofSpec }: KeyDesk, name: string): Promise<StoredKey> {
  const found = (await store.list()).find((key) => key.name === name && key.revoked === undefined);
  if (found !== undefined) return found;
  const { origin, keys } = ofSpec();
  if (Object.hasOwn(keys, name)) {
    throw new OmniError("key.of-spec", `The key ${name} is one of ${origin}, which only the spec changes.`);
  }
  throw new OmniError("key.unknown", `There is no created key ${JSON.stringify(name)} that is in force.`);
}

/** Times that a change is tried while another process writes, and milliseconds in between. */
const TRIES = 20;
const PAUSE = 50;

/** A change that waits for other writers without holding up the node. */
async function written(change: () => Promise<void>, tries = TRIES): Promise<void> {
  try {
    await change();
  } catch (thrown) {
    if (tries === 0 || !(thrown instanceof OmniError) || thrown.code !== "store.unwritable") throw thrown;
    await setTimeout(PAUSE);
    await written(change, tries - 1);
  }
}

/** What a key may do, as the store keeps it: nothing stands in it that was not asked for. */
export const mayOf = ({
  admin,
  upstream,
  priority,
  routes,
  tools,
  mcp,
  limits,
  content,
}: KeyMay): KeyMay => ({
  admin,
  upstream,
  priority,
  ...present({ routes, tools, mcp, limits }),
  ...(content === true ? { content } : {}),
});
