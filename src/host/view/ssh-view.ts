import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OmniError, formatBytes, messageOf } from "../../core/index.ts";
import { observeMachine } from "../../inventory/index.ts";
import type { ProgramResult } from "../../inventory/index.ts";
import type { CommandResult, HostTransport } from "../transport/index.ts";
import { COPY_SCRIPT, MOST_OF_COPY } from "./copy-script.ts";
import { layDownCopy } from "./lay-down-copy.ts";
import type { LaidDown } from "./lay-down-copy.ts";
import { LOOKING_TIME } from "./local-view.ts";
import type { OpenHostView } from "./open-view.ts";

/** Milliseconds for the copy: a host with hundreds of processors has thousands of small files. */
const COPY_TIME = 120_000;

/**
 * A host as checks look at it from here: what matters of its files is copied into a private temporary folder in one go,
 * 64 KiB a file and 16 MiB at most. Throws what the transport throws, and `OmniError` `host.command-failed` where the host
 * cannot be copied; then nothing is left behind.
 */
export async function sshView(transport: HostTransport): Promise<OpenHostView> {
  const root = `${mkdtempSync(join(tmpdir(), "omni-view-"))}/`;
  const dispose = (): void => rmSync(root, { recursive: true, force: true });
  try {
    const { sockets, whole } = await copyHost(transport, root);
    const said = saidOver(transport);
    const space = spaceOver(transport);
    const seen = await observeMachine({
      root,
      ask: (program, args, { timeout }) => said([program, ...args], timeout),
      measure: async (path) => (await space(path)) ?? Promise.reject(new Error(`${path} is not told`)),
    });
    const docker = sockets.some((path) => path.endsWith("/docker.sock"));
    const cut = { probe: "copy", message: `the copy of the host ended at ${formatBytes(MOST_OF_COPY)}` };
    const machine = { ...seen, docker, notes: whole ? seen.notes : [...seen.notes, cut] };
    return { name: transport.name, kind: "ssh", root, machine, said, space, dispose };
  } catch (thrown) {
    dispose();
    throw thrown;
  }
}

async function copyHost(transport: HostTransport, root: string): Promise<LaidDown> {
  const mark = `omni-${randomBytes(12).toString("hex")}`;
  const result = await transport.run({
    argv: ["sh", "-c", COPY_SCRIPT, "sh", mark],
    timeout: COPY_TIME,
    mostBytes: MOST_OF_COPY * 2,
  });
  if (!result.ended || result.code !== 0)
    throw new OmniError("host.command-failed", `${transport.name} cannot be looked at: ${lastWords(result)}`);
  return layDownCopy(Buffer.from(result.stdout, "base64"), mark, root);
}

const lastWords = (result: CommandResult): string =>
  result.ended ? `exit status ${result.code}: ${result.stderr.trim().slice(-300)}` : result.message;

/** As `runBounded` on the host. Throws nothing. */
const saidOver =
  (transport: HostTransport): OpenHostView["said"] =>
  async (argv, timeout = LOOKING_TIME): Promise<ProgramResult> => {
    try {
      const result = await transport.run({ argv, timeout, environment: { LC_ALL: "C" }, mostBytes: 1 << 20 });
      if (result.ended) return result;
      const why = result.why === "disconnected" ? "failed" : result.why;
      return { ended: false, why, message: result.message };
    } catch (thrown) {
      return { ended: false, why: "failed", message: messageOf(thrown) };
    }
  };

/** Source: POSIX df -P; its block size is an addition of GNU and busybox. Throws nothing. */
const spaceOver =
  (transport: HostTransport): OpenHostView["space"] =>
  async (path) => {
    const result = await saidOver(transport)(["df", "-P", "-B1", "--", path]);
    const [, size, , free] = (result.ended ? (result.stdout.trim().split("\n")[1] ?? "") : "").split(/\s+/);
    return result.ended && result.code === 0 && size !== undefined && free !== undefined
      ? { size: Number(size), free: Number(free) }
      : undefined;
  };
