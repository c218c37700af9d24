import { validateHeaderName, validateHeaderValue } from "node:http";

const CLOSES = /(?:^|\W)close(?:$|\W)/i;
const NOT_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const MOST_NAMES = 256;

/** What a header says of how its answer is sent. */
const ROLES = ["connection", "content-length", "transfer-encoding", "keep-alive", "date"] as const;
type Role = (typeof ROLES)[number];

/** A name with the value that it had last: an answer has the same few again and again. */
interface KnownLine {
  readonly role: Role | undefined;
  readonly prefix: string;
  value: string;
  line: string;
}

const known = new Map<string, KnownLine>();

/** The headers that an answer was given, as lines, and what they say of the connection. */
export class AnswerHeaders {
  text = "";
  length: string | undefined;
  transfer: string | undefined;
  date = false;
  connection = false;
  closes = false;
  keeps = false;

  /** Takes flat name and value pairs; throws as node:http does for what is no name or no value. */
  constructor(headers: readonly string[]) {
    if (headers.length % 2 !== 0) throw new TypeError("headers are pairs of a name and a value");
    for (let i = 0; i < headers.length; i += 2) {
      const value = headers[i + 1] ?? "";
      const known = lineOf(headers[i] ?? "", value);
      this.text += known.line;
      if (known.role !== undefined) this.#heed(known.role, value);
    }
  }

  #heed(role: Role, value: string): void {
    switch (role) {
      case "connection":
        this.connection = true;
        this.closes = CLOSES.test(value);
        break;
      case "content-length":
        if (this.length !== undefined && this.length !== value) throw new TypeError("two Content-Lengths");
        this.length = value;
        break;
      case "transfer-encoding":
        this.transfer = value;
        break;
      case "keep-alive":
        this.keeps = true;
        break;
      case "date":
        this.date = true;
        break;
    }
  }
}

function lineOf(name: string, value: string): KnownLine {
  let line = known.get(name);
  if (line?.value === value) return line;
  if (NOT_A_VALUE.test(value)) validateHeaderValue(name, value);
  if (line === undefined) {
    validateHeaderName(name);
    const lower = name.toLowerCase();
    const prefix = `${name}: `;
    line = { role: ROLES.find((role) => role === lower), prefix, value, line: "" };
    if (known.size < MOST_NAMES) known.set(name, line);
  }
  line.value = value;
  line.line = `${line.prefix}${value}\r\n`;
  return line;
}
