import { CODES } from "../../core/index.ts";
import type { EngineDriver, EngineFailure, Health } from "../engine.ts";
import { exitFailure } from "../failures/exit-failure.ts";
import { notReady } from "./http-health.ts";

/** What differs between the dialects of remote APIs. */
interface RemoteDialect {
  readonly kind: string;
  readonly title: string;
  /** Header that carries the key. */
  readonly keyHeader: string;
}

/**
 * An API that runs elsewhere. It is asked for its list of models, which costs nothing; a probe would cost money, and its
 * load, log and memory are its own affair.
 */
export const remoteApi = ({ kind, title, keyHeader }: RemoteDialect): EngineDriver => ({
  kind,
  title,
  listensOnSocket: false,
  healthPath: "/v1/models",
  readHealth: (status, body) => readHealth(title, keyHeader, status, body),
  classifyExit: (exit, lastLines) => exitFailure(title, exit, lastLines),
  classifyLine: () => undefined,
  readTook: () => ({ devices: [] }),
  onProcessorInstead: () => undefined,
  // One question and its answer over the internet.
  loadTime: () => 1000,
});

/** The body is not repeated where the key is at fault: some servers repeat the key. */
function readHealth(title: string, keyHeader: string, status: number, body: string): Health {
  if (status === 401 || status === 403) {
    return {
      state: "failed",
      failure: refused(
        `${title} does not take the key: GET /v1/models answered ${status}.`,
        `Check the engine's key in the spec: it is sent as ${keyHeader}, and must belong to this address and account.`,
      ),
    };
  }
  if (status === 402) {
    return {
      state: "failed",
      failure: refused(
        `${title} wants to be paid: GET /v1/models answered 402.`,
        "Top up the account that the key belongs to.",
      ),
    };
  }
  // Too many requests come from whoever asks, and a server without a list of models may serve all the same.
  if ((status >= 200 && status < 300) || status === 429 || status === 404 || status === 405)
    return { state: "ready" };
  return notReady("/v1/models", status, body);
}

const refused = (message: string, hint: string): EngineFailure => ({
  code: "engine.key-refused",
  message,
  hint: hint === "" ? CODES["engine.key-refused"].remedy : hint,
  recoverable: false,
});
