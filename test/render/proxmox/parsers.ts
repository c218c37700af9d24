/** A VM's configuration as Proxmox reads it: notes from the leading `#` lines, then `key: value`. Throws on any other line. */
export function parsePveConfig(text: string): {
  readonly notes: string;
  readonly settings: Readonly<Record<string, string>>;
} {
  const notes: string[] = [];
  const settings: Record<string, string> = {};
  for (const line of text.split("\n").slice(0, -1)) {
    const [, key, value] = /^([a-z][a-z_-]*\d*):\s*(\S.*?)\s*$/.exec(line) ?? [];
    if (line.startsWith("#")) notes.push(decodeURIComponent(line.slice(1)));
    else if (key === undefined || value === undefined || settings[key] !== undefined)
      throw new Error(`no line of a VM's configuration: ${line}`);
    else settings[key] = value;
  }
  return { notes: notes.join("\n"), settings };
}

/** Parts of a property string; one without a key stands under "". */
export const parseProperties = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text.split(",").map((part) => {
      const at = part.indexOf("=");
      return at === -1 ? ["", part] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );

/** Lines of a modprobe.d file: command, its first word, and the words after it, with quotes kept together. */
export function parseModprobe(
  text: string,
): readonly { readonly command: string; readonly module: string; readonly words: readonly string[] }[] {
  return text
    .replaceAll("\\\n", "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [command = "", module = "", ...words] = line.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
      if (!["options", "softdep", "blacklist"].includes(command))
        throw new Error(`no command of modprobe.d: ${line}`);
      return { command, module, words };
    });
}

/** Words of one command in GRUB's script language: backslashes keep a character, special ones may not stand bare. */
export function parseGrubWords(text: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "\\") word += text.charAt(++at);
    else if (/[$;&|<>{}'"\n]/.test(character)) throw new Error(`special in GRUB: ${character} in ${text}`);
    else if (character !== " ") word += character;
    else if (word !== "") {
      words.push(word);
      word = "";
    }
  }
  return word === "" ? words : [...words, word];
}

/** Words as Perl's Text::ParseWords splits QEMU arguments: quotes of both kinds, backslashes outside of single ones. */
export function parseShellWords(text: string): readonly string[] {
  const words: string[] = [];
  const pattern = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs;
  for (const [word] of text.matchAll(pattern))
    words.push(
      word.replaceAll(
        /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
        (_, single: string, double: string, one: string) =>
          single ?? double?.replaceAll(/\\(.)/gs, "$1") ?? one,
      ),
    );
  return words;
}
