import { OmniError } from "../../core/index.ts";

/** Thrown where the client cancelled. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/**
 * Runs with a signal that aborts when the client cancels or the time is up, and waits no longer than that itself: a server
 * that does not listen to its signal holds nobody. Rejects with `Cancelled`, or `OmniError` `mcp.timeout`.
 */
export function withDeadline<T>(
  server: string,
  milliseconds: number,
  client: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (client.aborted) return Promise.reject(new Cancelled("The client cancelled the request."));
  const own = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      client.removeEventListener("abort", cancel);
    };
    const stop = (error: Error): void => {
      end();
      reject(error);
      own.abort(error);
    };
    const cancel = (): void => stop(new Cancelled("The client cancelled the request."));
    const timer = setTimeout(() => stop(tooLong(server, milliseconds)), Math.min(milliseconds, 2 ** 31 - 1));
    client.addEventListener("abort", cancel);
    run(own.signal)
      .then(resolve, (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))))
      .finally(end);
  });
}

const tooLong = (server: string, milliseconds: number): OmniError =>
  new OmniError("mcp.timeout", `The MCP server ${server} did not answer within ${milliseconds / 1000} s.`);
