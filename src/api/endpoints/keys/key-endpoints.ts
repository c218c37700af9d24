import type { Call } from "../../../gateway/call.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import { badRequest, sendError } from "../../../gateway/wire-error.ts";
import { recentUsage } from "../../../keys/index.ts";
import { OPERATIONS } from "../../contract/index.ts";
import { refusing } from "../refusing.ts";
import { segmentsOf } from "../segments.ts";
import { sendAnswer, sendMissing } from "../send-answer.ts";
import { withBody } from "../with-body.ts";
import { withQuery } from "../with-query.ts";
import { createKey, mayOf, revokeKey, rotateKey } from "./change-keys.ts";
import { allKeys } from "./key-desk.ts";
import type { KeyDesk } from "./key-desk.ts";

type InTurn = (change: () => Promise<void>) => Promise<void>;

/**
 * `/api/keys` and `/api/usage`. Secrets are in the answer that makes them and nowhere else. Changes come one after another,
 * so that two of them cannot revoke the last two keys with admin beside each other.
 */
export function keyEndpoints(desk: KeyDesk): Readonly<Record<string, Endpoint>> {
  let last = Promise.resolve();
  const inTurn: InTurn = (change) => {
    last = last.then(change, change);
    return last;
  };
  return {
    "/api/keys": {
      admin: true,
      GET: (call) => list(desk, call),
      POST: (call) => create(desk, call, inTurn),
    },
    "/api/keys/*": {
      admin: true,
      POST: (call, rest) => rotate(desk, call, rest, inTurn),
      DELETE: (call, rest) => revoke(desk, call, rest, inTurn),
    },
    "/api/usage": { admin: true, GET: (call) => usage(desk, call) },
  };
}

const list = (desk: KeyDesk, call: Call): void =>
  void refusing(call, async () =>
    sendAnswer(call, "GET /api/keys", { keys: await allKeys(desk, Date.now()) }),
  );

const create = (desk: KeyDesk, call: Call, inTurn: InTurn): void =>
  withBody(call, OPERATIONS["POST /api/keys"].body, async ({ name, expires, force, ...may }) => {
    if (expires !== undefined && expires <= Date.now()) {
      sendError(call, badRequest("invalid_body", "expires: has passed.", "expires"));
      return;
    }
    const asked = { name, may: mayOf(may), expires, force };
    await inTurn(() =>
      refusing(call, async () => sendAnswer(call, "POST /api/keys", await createKey(desk, asked))),
    );
  });

function rotate(desk: KeyDesk, call: Call, rest: string, inTurn: InTurn): void {
  const [name, action, ...more] = segmentsOf(rest) ?? [];
  if (name === undefined || action !== "rotate" || more.length > 0) {
    sendMissing(call, "unknown_action", "It is POST /api/keys/NAME/rotate that gives a key another secret.");
    return;
  }
  withBody(call, OPERATIONS["POST /api/keys/{name}/rotate"].body, ({ grace }) =>
    inTurn(() =>
      refusing(call, async () =>
        sendAnswer(call, "POST /api/keys/{name}/rotate", await rotateKey(desk, name, grace)),
      ),
    ),
  );
}

function revoke(desk: KeyDesk, call: Call, rest: string, inTurn: InTurn): void {
  const [name, ...more] = segmentsOf(rest) ?? [];
  if (name === undefined || more.length > 0) {
    sendMissing(
      call,
      "unknown_action",
      "It is DELETE /api/keys/NAME that revokes a key, its name with slashes as %2F.",
    );
    return;
  }
  withQuery(call, OPERATIONS["DELETE /api/keys/{name}"].query, ({ force }) => {
    void inTurn(() =>
      refusing(call, async () =>
        sendAnswer(call, "DELETE /api/keys/{name}", await revokeKey(desk, name, force === "true")),
      ),
    );
  });
}

const usage = ({ store }: KeyDesk, call: Call): void =>
  withQuery(call, OPERATIONS["GET /api/usage"].query, (query) => {
    void refusing(call, async () =>
      sendAnswer(call, "GET /api/usage", { usage: await recentUsage(store, query, Date.now()) }),
    );
  });
