/** What stands where a secret stood. */
const MASK = "***";
/** A shorter value is a word of its own or none: replacing `a` everywhere would say more than it hides. */
const SHORTEST_PART = 4;

/** Options whose next argument is a secret, and names whose value is one. */
const SECRET_WORD =
  "token|secret|password|passwd|passphrase|api[-_]?key|access[-_]?key|authorization|credentials?";
const SECRET_OPTION = new RegExp(`^--?(?:[\\w-]*[-_])?(?:${SECRET_WORD})$`, "i");
const SECRET_ASSIGNMENT = new RegExp(
  `((?:^|[\\s"'?&;,{])-{0,2}(?:[\\w-]*[-_])?(?:${SECRET_WORD})["']?\\s*=\\s*["']?)([^\\s"'&;,]+)`,
  "gi",
);
const SECRET_OPTION_IN_TEXT = new RegExp(`((?:^|\\s)--(?:[\\w-]*-)?(?:${SECRET_WORD})\\s+)(?!-)(\\S+)`, "gi");
const SECRET_MEMBER = new RegExp(
  `("(?:[\\w-]*[-_])?(?:${SECRET_WORD})"\\s*:\\s*")((?:[^"\\\\]|\\\\.)+)`,
  "gi",
);
const AUTHORIZATION = /((?:proxy-)?authorization\s*:\s*)([^\r\n"']+)/gi;
const BEARER = /(\bbearer\s+)([\w.~+/=-]{8,})/gi;
const USER_OF_URL = /(\b[a-z][a-z\d+.-]*:\/\/)([^\s/@"']+)@/gi;
const KNOWN_SHAPES =
  /\b(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|sk-[\w-]{16,}|xox[abpr]-[\w-]{10,})/g;

/** Takes secrets out of everything that is kept or shown. */
export interface Redactor {
  /** From now on this value is taken out: as it is, and as URLs, JSON and base64 write it. */
  hide(secret: string): void;
  text(text: string): string;
  /** Words of a command; what follows an option for a secret is hidden everywhere from now on. */
  argv(argv: readonly string[]): readonly string[];
}

export function createRedactor(): Redactor {
  const known = new Set<string>();
  let pattern: RegExp | undefined;
  const hidden = (text: string): string => (pattern === undefined ? text : text.replaceAll(pattern, MASK));
  const text = (given: string): string => shapesHidden(hidden(given));
  const hide = (secret: string): void => {
    const before = known.size;
    for (const form of formsOf(secret)) known.add(form);
    if (known.size > before) pattern = patternOf(known);
  };
  return {
    hide,
    text,
    argv: (argv) => {
      // What a program is given as its secret it may also print.
      argv.forEach((word, index) => {
        if (SECRET_OPTION.test(argv[index - 1] ?? "") && word !== MASK) hide(word);
      });
      return argv.map((word, index) => (SECRET_OPTION.test(argv[index - 1] ?? "") ? MASK : text(word)));
    },
  };
}

const shapesHidden = (text: string): string =>
  text
    .replaceAll(AUTHORIZATION, `$1${MASK}`)
    .replaceAll(BEARER, `$1${MASK}`)
    .replaceAll(USER_OF_URL, (_whole, scheme: string, user: string) =>
      // A user without a password is a name: ssh://root@host.
      user.includes(":") || !scheme.startsWith("ssh") ? `${scheme}${MASK}@` : `${scheme}${user}@`,
    )
    .replaceAll(SECRET_MEMBER, `$1${MASK}`)
    .replaceAll(SECRET_ASSIGNMENT, `$1${MASK}`)
    .replaceAll(SECRET_OPTION_IN_TEXT, `$1${MASK}`)
    .replaceAll(KNOWN_SHAPES, MASK);

/** A secret of several lines (a private key) is printed line by line, so each line is one. */
function formsOf(secret: string): readonly string[] {
  const trimmed = secret.trim();
  const parts = [
    trimmed,
    ...trimmed.split(/\r?\n/).filter((line) => line.trim().length >= 2 * SHORTEST_PART),
  ];
  return parts
    .flatMap((part) => [
      part,
      encodeURIComponent(part),
      JSON.stringify(part).slice(1, -1),
      Buffer.from(part).toString("base64"),
      Buffer.from(part).toString("base64url"),
    ])
    .filter((form) => form !== "");
}

function patternOf(known: ReadonlySet<string>): RegExp {
  // The longest first: one secret may begin with another.
  const forms = [...known]
    .toSorted((a, b) => b.length - a.length)
    .map((form) => {
      const literal = form.replaceAll(/[^\w]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
      return form.length < SHORTEST_PART ? `(?<![\\w-])${literal}(?![\\w-])` : literal;
    });
  return new RegExp(forms.join("|"), "gu");
}
