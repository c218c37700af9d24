/** A value of protobuf's text format: strings stay apart from enum names and numbers, which stay as they are written. */
export type TextValue = { readonly text: string } | { readonly word: string } | TextMessage;

/** Fields in order; a field may come several times. */
export interface TextMessage {
  readonly fields: readonly (readonly [string, TextValue])[];
}

const TOKEN = /\s+|#[^\n]*(?:\n|$)|"(?:[^"\\\n]|\\.)*"|[A-Za-z_][\w.]*|-?\d[\w.]*|[{}[\],:;]/gy;

const NAMED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", "'": "'" };

/** Reads text format as far as a model's config uses it. Throws `SyntaxError` at what is none. */
export function parseTextFormat(source: string): TextMessage {
  const tokens = tokensOf(source);
  let next = 0;
  const peek = (): string | undefined => tokens[next];
  const take = (): string => {
    const token = tokens[next++];
    if (token === undefined) throw new SyntaxError("text ends in the middle");
    return token;
  };
  function message(end: string | undefined): TextMessage {
    const fields: [string, TextValue][] = [];
    while (peek() !== end) {
      const name = take();
      if (!/^[A-Za-z_]\w*$/.test(name)) throw new SyntaxError(`no field name: ${name}`);
      if (peek() === ":") take();
      fields.push([name, value()]);
      if (peek() === "," || peek() === ";") take();
    }
    if (end !== undefined) take();
    return { fields };
  }
  function value(): TextValue {
    const token = take();
    if (token === "{") return message("}");
    if (token.startsWith('"')) return { text: unquoted(token) };
    if (/^[-\w]/.test(token)) return { word: token };
    throw new SyntaxError(`no value: ${token}`);
  }
  return message(undefined);
}

function tokensOf(source: string): readonly string[] {
  const tokens: string[] = [];
  let at = 0;
  while (at < source.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) throw new SyntaxError(`cannot read ${JSON.stringify(source.slice(at, at + 20))}`);
    at = TOKEN.lastIndex;
    if (!/^(?:\s|#)/.test(match[0])) tokens.push(match[0]);
  }
  return tokens;
}

const unquoted = (token: string): string =>
  token.slice(1, -1).replaceAll(/\\([0-7]{1,3}|.)/g, (_, escape: string) => {
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
    const character = NAMED[escape];
    if (character === undefined) throw new SyntaxError(`no escape: \\${escape}`);
    return character;
  });
