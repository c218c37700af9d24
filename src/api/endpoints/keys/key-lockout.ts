import { OmniError } from "../../../core/index.ts";
import type { ShownKey } from "../../../keys/index.ts";

/** Whether a key with admin is in force that is not the stored one named. A stored key goes behind one of the spec. */
export const hasAdmin = (keys: readonly ShownKey[], without?: string): boolean => {
  const ofSpec = new Set(keys.filter(({ source }) => source === "spec").map(({ name }) => name));
  return keys.some(
    ({ name, source, state, may }) =>
      may.admin && state === "in force" && (source === "spec" || (name !== without && !ofSpec.has(name))),
  );
};

/** Why a key is not made: it would close the node for everyone who may change it. */
export const closesOut = (name: string): OmniError =>
  new OmniError(
    "key.last-admin",
    `With the key ${name} the node asks everyone for a key, and none that is in force may change it.`,
    {
      hint: "Make a key with admin first, or send force: true; ./omni keys on its machine makes keys without one.",
    },
  );

/** Why a key is not revoked: nobody could make another one over the API. */
export const isLastAdmin = (name: string): OmniError =>
  new OmniError("key.last-admin", `${name} is the last key with admin that is in force.`, {
    hint: "Make another one first, or send ?force=true; ./omni keys on its machine makes keys without one.",
  });
