import { EXIT, nearest, OmniError } from "../../core/index.ts";
import { JSON_OPTION } from "../command.ts";
import type { Command } from "../command.ts";
import { KEY_ACTIONS } from "../keys/key-actions.ts";
import { MAY_OPTIONS } from "../keys/key-options.ts";
import { keyPlaceOf, openKeyStore } from "../keys/key-place.ts";
import { locateSpec } from "../node-spec.ts";
import { stateFolder } from "../state-folder.ts";

export const keys: Command = {
  name: "keys",
  summary: "Create, list, rotate and revoke API keys, and show what each used; while the node runs, too.",
  positionals: [
    { name: "ACTION", required: true, completes: "none" },
    { name: "NAME", required: false, completes: "none" },
  ],
  options: {
    ...MAY_OPTIONS,
    grace: {
      kind: "value",
      placeholder: "TIME",
      about: "rotate: how long the old secret is good beside the new one: 10m; it ends at once without.",
    },
    forget: {
      kind: "flag",
      about:
        "revoke: delete it; a node whose spec has no keys is open again after a restart once the last is.",
    },
    all: { kind: "flag", about: "list: revoked keys, too." },
    days: { kind: "value", placeholder: "N", about: "usage: how many days back, today included; default 7." },
    spec: {
      kind: "value",
      placeholder: "FILE",
      about:
        "The spec whose gateway.store says where keys are kept; omni.yaml of this folder, else the state folder.",
    },
    "dry-run": { kind: "flag", about: "Check and say what would change, and change nothing." },
    json: JSON_OPTION,
  },
  examples: [
    ["keys create laptop", "prints the secret, once; a running node knows it within a second"],
    ["keys create team --route chat --tokens-per-day 2000000 --expires 90d", "one route, a budget, an end"],
    ["keys create ops --admin --upstream", "may change the node and use engines' own endpoints"],
    ["keys rotate team --grace 10m", "a new secret; the old one is good for ten more minutes"],
    ["keys revoke laptop", "refused from now on"],
    ["keys usage team --days 30 --json", "requests and tokens by day, model and service"],
  ],
  run: async (invocation, terminal) => {
    const [name = ""] = invocation.positionals;
    const action = KEY_ACTIONS.get(name);
    if (action === undefined) {
      const meant = nearest(name, [...KEY_ACTIONS.keys()]);
      throw new OmniError("cli.bad-argument", `${JSON.stringify(name)} is nothing that keys can do.`, {
        hint:
          meant === undefined
            ? `One of: ${[...KEY_ACTIONS.keys()].join(", ")}.`
            : `Did you mean ./omni keys ${meant}?`,
      });
    }
    const located = await locateSpec(invocation.value("spec"), undefined);
    const place = await keyPlaceOf(located, stateFolder());
    const store = await openKeyStore(place, { changes: action.changes && !invocation.flag("dry-run") });
    try {
      await action.run({ store, located, invocation, terminal, now: Date.now() });
    } finally {
      await store.close();
    }
    return EXIT.done;
  },
};
