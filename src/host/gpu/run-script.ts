import { OmniError } from "../../core/index.ts";
import type { CommandResult, HostTransport } from "../transport/index.ts";

/** The way to a host, as far as its cards need it. */
export type HostTo = Pick<HostTransport, "name" | "run">;

type Ended = Extract<CommandResult, { ended: true }>;

/**
 * Runs a rendered script on a host by `sh -s`: nothing is left there. Throws `OmniError` `gpu.unreadable` where it could not
 * be run to its end. Milliseconds.
 */
export async function runScript(
  host: HostTo,
  script: string,
  words: readonly string[],
  timeout: number,
  told?: (stream: "stdout" | "stderr", text: string) => void,
): Promise<Ended> {
  const result = await host.run({
    argv: ["sh", "-s", "--", ...words],
    input: script,
    timeout,
    ...(told === undefined ? {} : { onOutput: told }),
  });
  if (result.ended) return result;
  throw new OmniError("gpu.unreadable", `The switch on ${host.name} did not end: ${result.message}`, {
    hint: "Look with ./omni gpu status; ./omni gpu restore brings back what was there before.",
  });
}
