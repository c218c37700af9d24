const ENTER = "\u001B[?1049h\u001B[?25l\u001B[?7l\u001B[2J";
const LEAVE = "\u001B[?7h\u001B[?25h\u001B[?1049l";
const CLEAR_REST = "\u001B[K";

/** The alternate screen of a terminal. */
export interface Screen {
  enter(): void;
  /** Gives the terminal back as it was; harmless when it was given back before. */
  leave(): void;
  /** Shows these lines, already coloured, and writes only those that are not there yet. */
  draw(lines: readonly string[]): void;
  /** Forgets what is there, as after a change of size. */
  clear(): void;
}

/** A screen over what a terminal is written by. */
export function createScreen(write: (text: string) => void): Screen {
  let shown: readonly string[] = [];
  let entered = false;
  return {
    enter() {
      if (entered) return;
      entered = true;
      shown = [];
      write(ENTER);
    },
    leave() {
      if (!entered) return;
      entered = false;
      write(LEAVE);
    },
    draw(lines) {
      if (!entered) return;
      const changed = lines.flatMap((line, index) =>
        line === shown[index] ? [] : [`\u001B[${index + 1};1H${line}${CLEAR_REST}`],
      );
      shown = lines;
      if (changed.length > 0) write(changed.join(""));
    },
    clear() {
      shown = [];
      if (entered) write("\u001B[2J");
    },
  };
}
