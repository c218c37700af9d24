/** Tokens of one answer as the engine counted them. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Of the prompt's, those that the engine had in its cache. */
  readonly cachedTokens?: number;
}

const USAGE = Buffer.from('"usage"');
/** A usage object of any known engine is far smaller; this bounds the search for its end. */
const MAX_USAGE = 4096;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;

/** Finds the last `"usage":{…}` in the bytes of an answer without parsing the rest; `undefined` when there is none. */
export function findUsage(bytes: Buffer): Usage | undefined {
  for (let at = bytes.lastIndexOf(USAGE); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(USAGE, at - 1)) {
    const open = valueAt(bytes, at + USAGE.length);
    if (bytes[open] !== OPEN) continue;
    const usage = usageOf(new UsageCounts(bytes, open));
    if (usage !== undefined) return usage;
  }
  return undefined;
}

/** Chat and completions; embeddings and rerank have no completion tokens. Anthropic's `input_tokens` were not in the cache. */
function usageOf(counts: UsageCounts): Usage | undefined {
  const { prompt, completion, cached, input, output } = counts;
  if (prompt >= 0) {
    const said = { promptTokens: prompt, completionTokens: Math.max(0, completion) };
    return cached < 0 ? said : { ...said, cachedTokens: cached };
  }
  if (input < 0 && output < 0) return undefined;
  const read = Math.max(0, counts.read);
  const said = {
    promptTokens: Math.max(0, input) + read + Math.max(0, counts.made),
    completionTokens: Math.max(0, output),
  };
  return read === 0 ? said : { ...said, cachedTokens: read };
}

/** The names that count, by their length few share. */
const NAMES = {
  prompt: Buffer.from("prompt_tokens"),
  cached: Buffer.from("cached_tokens"),
  output: Buffer.from("output_tokens"),
  input: Buffer.from("input_tokens"),
  completion: Buffer.from("completion_tokens"),
  read: Buffer.from("cache_read_input_tokens"),
  made: Buffer.from("cache_creation_input_tokens"),
};

/** What a usage object counts, read in one pass over its bytes; negative what it does not, the first of each name counts. */
class UsageCounts {
  prompt = -1;
  completion = -1;
  cached = -1;
  input = -1;
  output = -1;
  read = -1;
  made = -1;

  /** `open` is the place of the object's brace. */
  constructor(bytes: Buffer, open: number) {
    const end = Math.min(bytes.length, open + MAX_USAGE);
    let depth = 0;
    for (let at = open; at < end; at++) {
      const byte = bytes[at];
      if (byte === OPEN) depth++;
      else if (byte === CLOSE && --depth === 0) return;
      else if (byte === QUOTE) {
        const close = closingQuote(bytes, at + 1, end);
        this.#add(bytes, at + 1, close);
        at = close;
      }
    }
  }

  #add(bytes: Buffer, from: number, to: number): void {
    switch (to - from) {
      case 12:
        if (this.input < 0) this.input = countOf(NAMES.input, bytes, from);
        return;
      case 13:
        if (this.prompt < 0) this.prompt = countOf(NAMES.prompt, bytes, from);
        if (this.cached < 0) this.cached = countOf(NAMES.cached, bytes, from);
        if (this.output < 0) this.output = countOf(NAMES.output, bytes, from);
        return;
      case 17:
        if (this.completion < 0) this.completion = countOf(NAMES.completion, bytes, from);
        return;
      case 23:
        if (this.read < 0) this.read = countOf(NAMES.read, bytes, from);
        return;
      case 27:
        if (this.made < 0) this.made = countOf(NAMES.made, bytes, from);
        return;
      default:
    }
  }
}

function closingQuote(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** The number behind `name":`; negative where another name stands there, or no number. */
function countOf(name: Buffer, bytes: Buffer, from: number): number {
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return -1;
  let count = -1;
  for (let at = valueAt(bytes, from + name.length + 1); at < bytes.length; at++) {
    const digit = bytes[at] ?? 0;
    if (digit < ZERO || digit > NINE) break;
    count = (count < 0 ? 0 : count * 10) + digit - ZERO;
  }
  return count;
}

/** Behind the colon that follows a name, and the white space around it. */
export function valueAt(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === COLON || isSpace(bytes[at])) at++;
  return at;
}

/** As JSON has it, and the two that a pattern would take for one. */
const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);

/** Anthropic tells the prompt's tokens in the first event and the answer's in the last: the greater of each is right. */
export function laterUsage(before: Usage | undefined, now: Usage | undefined): Usage | undefined {
  if (before === undefined || now === undefined) return now ?? before;
  const cached = now.cachedTokens ?? before.cachedTokens;
  return {
    promptTokens: Math.max(before.promptTokens, now.promptTokens),
    completionTokens: Math.max(before.completionTokens, now.completionTokens),
    ...(cached === undefined ? {} : { cachedTokens: cached }),
  };
}
