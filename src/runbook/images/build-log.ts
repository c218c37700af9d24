import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";

/** The whole of what a program said, in a file of the work folder. */
export interface BuildLog {
  /** Takes output as it comes, in pieces of any size. */
  write(text: string): void;
  close(): Promise<void>;
}

/**
 * Opens a log, mode 0600, that is begun anew. `secrets` are taken out of it, and `onLine` is told of each whole line, which
 * has none of them either.
 */
export async function openBuildLog(
  path: string,
  secrets: readonly string[],
  onLine: (line: string) => void,
): Promise<BuildLog> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = createWriteStream(path, { mode: 0o600 });
  // A log that cannot be written must not end an hour's build; what counts is told line by line.
  file.on("error", () => {});
  const hidden = secrets.filter((secret) => secret !== "");
  let rest = "";
  const tell = (line: string): void => {
    const shown = hidden.reduce((text, secret) => text.replaceAll(secret, "…"), line);
    file.write(`${shown}\n`);
    onLine(shown);
  };
  return {
    write: (text) => {
      // A carriage return begins a progress bar's line anew.
      const lines = (rest + text).split(/\r\n|[\r\n]/);
      rest = lines.pop() ?? "";
      for (const line of lines) tell(line);
    },
    close: async () => {
      if (rest !== "") tell(rest);
      file.end();
      await finished(file).catch(() => {});
    },
  };
}
