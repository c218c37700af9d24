import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

/** Where commands are typed. */
export interface Place {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A shell that somebody types blocks into, one after another; what one exports the next one sees. */
export interface TypedShell {
  /** Resolves with what the block printed once it ended. Rejects with it when any command of it failed. */
  type(commands: string): Promise<string>;
  close(): Promise<void>;
}

const END = "===== the block ended:";

export function openShell({ folder, env }: Place): TypedShell {
  const shell = spawn("bash", ["--noprofile", "--norc"], {
    cwd: folder,
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const printed = collected(shell);
  return {
    async type(commands) {
      const from = printed().length;
      shell.stdin.write(
        `failed=0; trap 'failed=$?' ERR\n${commands}\nprintf '\\n%s %s\\n' '${END}' "$failed"\n`,
      );
      const end = new RegExp(`${END} (\\d+)\\n`);
      while (!end.test(printed().slice(from))) {
        if (shell.exitCode !== null) throw new Error(`the shell ended:\n${printed().slice(from)}`);
        await sleep(50);
      }
      const text = printed().slice(from);
      if (end.exec(text)?.[1] !== "0") throw new Error(`this did not work:\n${commands}\n${text}`);
      return text.slice(0, end.exec(text)?.index).trim();
    },
    async close() {
      shell.stdin.end();
      if (shell.exitCode === null) await once(shell, "close");
    },
  };
}

/** Commands that keep their terminal, such as a node. */
export interface KeptTerminal {
  printed(): string;
  /** Resolves when `ready` is printed. Rejects with all of it when they end before. */
  until(ready: RegExp): Promise<void>;
  /** Ctrl-C, and wait for the end. */
  interrupt(): Promise<void>;
}

export function keepTerminal({ folder, env }: Place, commands: string): KeptTerminal {
  // A process group of its own, which Ctrl-C reaches as a whole.
  const shell = spawn("bash", ["--noprofile", "--norc", "-c", commands], {
    cwd: folder,
    env,
    detached: true,
  });
  const printed = collected(shell);
  return {
    printed,
    async until(ready) {
      while (!ready.test(printed())) {
        if (shell.exitCode !== null) throw new Error(`it ended:\n${commands}\n${printed()}`);
        await sleep(50);
      }
    },
    async interrupt() {
      if (shell.exitCode !== null || shell.pid === undefined) return;
      const ended = once(shell, "close");
      process.kill(-shell.pid, "SIGINT");
      await ended;
    },
  };
}

function collected(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
}
