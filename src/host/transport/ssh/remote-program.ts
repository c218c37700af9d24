import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ClientChannel } from "ssh2";
import { statusOf } from "../local-program.ts";
import { followProgram, notStarted } from "../running-program.ts";
import type { ProgramEnd, ProgramOutcome, RunningProgram } from "../running-program.ts";
import type { HostCommand } from "../transport.ts";
import { afterMark } from "./after-mark.ts";
import type { SshConnection } from "./connection.ts";
import { killCommand, remoteShell } from "./remote-shell.ts";

/** Runs a program of the host on a channel of its own. Throws what `SshConnection.exec` throws. */
export async function runRemotely(connection: SshConnection, command: HostCommand): Promise<ProgramOutcome> {
  const [program] = command.argv;
  if (command.signal?.aborted === true) return notStarted("aborted", `${program} was not started`);
  const mark = `omni-${randomBytes(12).toString("hex")}`;
  const shell = remoteShell(command, mark);
  const channel = await connection.exec(shell.command);
  // From here on it may have run: whatever breaks now is told and never repeated.
  channel.write(shell.lines);
  return await followProgram(command, asRunning(connection, channel, command, mark));
}

function asRunning(
  connection: SshConnection,
  channel: ClientChannel,
  command: HostCommand,
  mark: string,
): RunningProgram {
  const stdout = afterMark(channel, mark);
  const stderr = afterMark(channel.stderr, mark);
  let status: number | undefined;
  const over = once(channel, "close").catch(() => {});
  const closed = Promise.all([over, ...[stdout, stderr].map(({ stream }) => once(stream, "end"))]).catch(
    () => {},
  );
  const exited = new Promise<void>((resolve) => {
    channel.once("exit", (code: number | null, signal?: string) => {
      status = statusOf(code, signal ?? null);
      resolve();
    });
  });
  channel.on("error", () => {});
  const end = Promise.race([exited, over]).then(async (): Promise<ProgramEnd> => {
    if (status === undefined)
      return connection.stands()
        ? { ended: false, why: "failed", message: `${command.argv[0]} ended without a status` }
        : lost(command);
    const { text, noise } = await stderr.line;
    return startFailure(command, text, noise) ?? { ended: true, code: status };
  });
  const kill = async (): Promise<void> => {
    const pid = Number((await stderr.line).text);
    if (!(pid > 1) || !connection.stands()) return;
    const killer = await connection.exec(killCommand(pid));
    killer.resume().stderr.resume();
  };
  return {
    stdin: channel,
    stdout: stdout.stream,
    stderr: stderr.stream,
    end,
    closed,
    kill: () => void kill().catch(() => {}),
    release: () => {
      channel.close();
      stdout.stream.destroy();
      stderr.stream.destroy();
    },
  };
}

const lost = ({ argv }: HostCommand): ProgramEnd => ({
  ended: false,
  why: "disconnected",
  message: `the connection was lost while ${argv[0]} ran; nobody knows how it ended`,
});

/** Why the program was not started, by the word after the mark; nothing where that is its process id. */
function startFailure(
  { argv, cwd }: HostCommand,
  word: string | undefined,
  noise: string,
): ProgramEnd | undefined {
  if (word === undefined)
    return {
      ended: false,
      why: "failed",
      message: `the host's login shell runs no commands${noise.trim() === "" ? "" : `: ${noise.trim().slice(-300)}`}`,
    };
  if (word === "absent") return { ended: false, why: "absent", message: `${argv[0]} is not installed` };
  if (word === "unfit") return { ended: false, why: "failed", message: `${argv[0]}: permission denied` };
  if (word === "folder")
    return { ended: false, why: "failed", message: `${argv[0]} in ${cwd ?? "?"}: there is no such folder` };
  return undefined;
}
