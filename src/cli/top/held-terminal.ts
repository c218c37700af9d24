import { createScreen } from "./screen.ts";
import type { Screen } from "./screen.ts";

/** Signals that end a program. */
const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Milliseconds after which a stop that was asked for has happened, or will not: a session without a shell has none. */
const STOPPED = 100;

export type Ending = (typeof ENDINGS)[number];

/** The terminal of this process, held for a screen and keys. */
export interface HeldTerminal {
  readonly screen: Screen;
  /** Back to the shell, as Ctrl-Z does elsewhere, until it continues this process. */
  suspend(): void;
  release(): void;
}

export interface TerminalUse {
  readonly onInput: (text: string) => void;
  /** The terminal is another size, or was somebody else's meanwhile: everything is to be drawn again. */
  readonly onRedraw: () => void;
  /** A signal asks for the end. */
  readonly onEnd: (signal: Ending) => void;
}

/**
 * Takes the terminal: the alternate screen, keys one by one. It is given back on every way out, those of a thrown error
 * and of a write that fails included.
 */
export function holdTerminal({ onInput, onRedraw, onEnd }: TerminalUse): HeldTerminal {
  const { stdin, stdout } = process;
  // Writing to a terminal is done when it returns, also while the process ends.
  const screen = createScreen((text) => void stdout.write(text));
  let released = false;
  const take = (): void => {
    stdin.setRawMode(true);
    stdin.resume();
    screen.enter();
  };
  const give = (): void => {
    screen.leave();
    // The terminal may be gone, and with it what would be restored.
    if (!stdin.destroyed) stdin.setRawMode(false);
  };
  const onResize = (): void => {
    screen.clear();
    onRedraw();
  };
  const onStop = (): void => {
    give();
    // Without a listener the signal does what it says, to this process and those beside it in the pipeline.
    process.off("SIGTSTP", onStop);
    process.kill(0, "SIGTSTP");
    setTimeout(onContinue, STOPPED);
  };
  const onContinue = (): void => {
    if (released) return;
    process.off("SIGTSTP", onStop).on("SIGTSTP", onStop);
    take();
    onResize();
  };
  const onGone = (): void => onEnd("SIGHUP");
  stdin.setEncoding("utf8").on("data", onInput).on("error", onGone).on("end", onGone);
  stdout.on("resize", onResize);
  process.on("SIGTSTP", onStop).on("SIGCONT", onContinue);
  process.on("uncaughtExceptionMonitor", give).on("exit", give);
  for (const signal of ENDINGS) process.on(signal, onEnd);
  take();
  return {
    screen,
    suspend: onStop,
    release: () => {
      released = true;
      give();
      stdin.pause().off("data", onInput);
      stdout.off("resize", onResize);
      process.off("SIGTSTP", onStop).off("SIGCONT", onContinue);
      process.off("uncaughtExceptionMonitor", give).off("exit", give);
      for (const signal of ENDINGS) process.off(signal, onEnd);
    },
  };
}
