import type { Client } from "./client.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import { familyOfPath } from "./family.ts";
import type { AskInside } from "./inside-call.ts";
import { InsideOutlet } from "./inside-outlet.ts";
import { withContents } from "./kept-contents.ts";
import { OPERATIONS } from "./operations.ts";
import { bodyError } from "./proxy-endpoint.ts";
import { readRoutedBody } from "./routed-body.ts";
import { findTarget } from "./targets.ts";
import type { WireError } from "./wire-error.ts";
import { sendErrorTo } from "./wire-error.ts";

/** Requests of the gateway to itself: batches, and the rounds of tools that run on the server's side. */
export const createAskInside =
  (shared: ExchangeShared): AskInside =>
  async ({ path, body, caller, id, priority, signal, onEvent }) => {
    signal.throwIfAborted();
    const outlet = new InsideOutlet(shared.limits.eventBytes, onEvent);
    const client: Client = {
      id,
      caller,
      who: { key: caller.key, priority: priority ?? caller.priority },
      method: "POST",
      headers: {},
      answerHeaders: [],
      family: familyOfPath(path),
      outlet,
      bytesSent: () => outlet.bytesSent,
    };
    const abort = (): void => outlet.destroy();
    signal.addEventListener("abort", abort, { once: true });
    try {
      await begin(shared, client, path, Buffer.from(JSON.stringify(body)));
      return await outlet.answer;
    } finally {
      signal.removeEventListener("abort", abort);
      // Who rejects early still has an answer that nobody waits for.
      outlet.answer.catch(() => undefined);
    }
  };

async function begin(shared: ExchangeShared, client: Client, path: string, bytes: Buffer): Promise<void> {
  const refuse = (error: WireError): void => sendErrorTo(client, error, []);
  const operation = OPERATIONS[path];
  if (operation === undefined) {
    refuse({ status: 404, type: "not_found_error", code: "unknown_path", message: `No such path: ${path}.` });
    return;
  }
  try {
    const ask = await readRoutedBody({ id: client.id, operation, path, headers: {} }, bytes);
    const target = findTarget(shared.backends, ask.model, client.caller);
    if ("status" in target) refuse(target);
    else {
      const outlet = withContents(client, bytes, shared.contents);
      new Exchange(shared, { ...client, outlet }, ask, target).start();
    }
  } catch (thrown) {
    refuse(bodyError(bytes, thrown));
  }
}
