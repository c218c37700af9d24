import { OmniError } from "../../core/index.ts";

/**
 * A text as one word of a POSIX shell. Harmless words stay as they are; all else goes into single quotes, in which only
 * the single quote itself is special (POSIX XCU 2.2.2). Throws `OmniError` `render.unrepresentable` on NUL.
 */
export function shellWord(text: string): string {
  if (text.includes("\0")) {
    throw new OmniError("render.unrepresentable", "A shell word cannot hold a NUL character.", {
      hint: "Remove the character from the spec.",
    });
  }
  if (/^[\w@%+=:,./-]+$/.test(text) && !/^[\w]+=/.test(text) && !text.startsWith("~")) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Words of one command. */
export const shellCommand = (words: readonly string[]): string => words.map(shellWord).join(" ");

/** A text as comment lines of a shell script or a configuration file: no line of it can leave the comment. */
export const hashComment = (text: string, width = 116): string =>
  wrapped(text, width - 2)
    .map((line) => (line === "" ? "#" : `# ${line}`))
    .join("\n");

/** Breaks at spaces so that lines stay within `width` characters where words allow; control characters become spaces. */
function wrapped(text: string, width: number): string[] {
  return text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).flatMap((paragraph) => {
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    const words = paragraph.replaceAll(/[\u0000-\u001f\u007f]/g, " ").split(" ");
    const lines: string[] = [];
    for (const word of words) {
      const last = lines.at(-1);
      if (last !== undefined && last.length + word.length < width)
        lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
    }
    return lines;
  });
}
