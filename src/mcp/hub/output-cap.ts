import type {
  CallToolResult,
  ContentBlock,
  GetPromptResult,
  ReadResourceResult,
} from "@modelcontextprotocol/server";
import { sizeOf } from "./list-bounds.ts";

/** What stdio takes in one message is 10 MiB (`maxBufferSize`); the rest is for what stands around a result. */
const MOST_MESSAGE = 9 * 1024 * 1024;
/** Bytes that notes about what is missing may take. */
const NOTES = 512;
const MOST_META = 16 * 1024;

/** A result within its bound, and its bytes. */
export interface Capped<T> {
  readonly result: T;
  readonly bytes: number;
}

/** As large as the owner lets a server's answers be. `hasSchema`: the tool promised structured content of some shape. */
export function capTool(
  result: CallToolResult,
  maxOutput: number,
  hasSchema: boolean,
): Capped<CallToolResult> {
  const bound = Math.min(maxOutput, MOST_MESSAGE);
  const bytes = sizeOf(result);
  if (bytes !== undefined && bytes <= bound) return { result, bytes };
  const { structuredContent, _meta: meta, content, ...rest } = result;
  const notes: string[] = [];
  const cut = cutBlocks(content, Math.max(0, bound - NOTES), notes);
  let left = bound - NOTES - (sizeOf(cut) ?? 0);
  const small: CallToolResult = { ...rest, content: [...cut] };
  const metaBytes = meta === undefined ? 0 : (sizeOf(meta) ?? Number.POSITIVE_INFINITY);
  if (meta !== undefined && metaBytes <= Math.min(left, MOST_META)) {
    small._meta = meta;
    left -= metaBytes;
  }
  if (structuredContent !== undefined) {
    const size = sizeOf(structuredContent);
    if (size !== undefined && size <= left) small.structuredContent = structuredContent;
    else {
      notes.push(`structured content${size === undefined ? "" : ` of ${size} bytes`} is left out`);
      // A client that was promised structured content takes a result without only as an error.
      if (hasSchema) small.isError = true;
    }
  }
  small.content.push({ type: "text", text: noteOf(notes, bytes, bound) });
  return { result: small, bytes: sizeOf(small) ?? 0 };
}

export function capPrompt(result: GetPromptResult, maxOutput: number): Capped<GetPromptResult> {
  const bound = Math.min(maxOutput, MOST_MESSAGE);
  const bytes = sizeOf(result);
  if (bytes !== undefined && bytes <= bound) return { result, bytes };
  const notes: string[] = [];
  let left = bound - NOTES;
  const messages: GetPromptResult["messages"] = [];
  for (const message of result.messages) {
    const [content] = cutBlocks([message.content], Math.max(0, left - 64), notes);
    if (content === undefined) break;
    messages.push({ role: message.role, content });
    left -= (sizeOf(content) ?? 0) + 64;
  }
  messages.push({ role: "user", content: { type: "text", text: noteOf(notes, bytes, bound) } });
  const small: GetPromptResult = { messages };
  return { result: small, bytes: sizeOf(small) ?? 0 };
}

/** Texts are cut, with a note behind; what is no text is left out where it does not fit. */
export function capResource(result: ReadResourceResult, maxOutput: number): Capped<ReadResourceResult> {
  const bound = Math.min(maxOutput, MOST_MESSAGE);
  const bytes = sizeOf(result);
  if (bytes !== undefined && bytes <= bound) return { result, bytes };
  let left = bound - NOTES;
  const contents: ReadResourceResult["contents"] = [];
  for (const one of result.contents) {
    const { uri, mimeType } = one;
    const frame = (sizeOf({ uri, mimeType }) ?? 0) + 128;
    if (left <= frame) break;
    const named = { uri: uri.slice(0, 2048), ...(mimeType === undefined ? {} : { mimeType }) };
    if ("text" in one) {
      const text = cutText(one.text, left - frame);
      contents.push({
        ...named,
        text: text.length < one.text.length ? `${text}\n${noteOf([], bytes, bound)}` : text,
      });
    } else if (one.blob.length <= left - frame) {
      contents.push({ ...named, blob: one.blob });
    } else {
      contents.push({
        uri: named.uri,
        mimeType: "text/plain",
        text: noteOf([`${one.blob.length} characters of base64 are left out`], bytes, bound),
      });
    }
    left = bound - NOTES - (sizeOf(contents) ?? 0);
  }
  if (contents.length === 0)
    contents.push({ uri: "omni:cut", mimeType: "text/plain", text: noteOf([], bytes, bound) });
  return { result: { contents }, bytes: sizeOf({ contents }) ?? 0 };
}

function cutBlocks(blocks: readonly ContentBlock[], bound: number, notes: string[]): readonly ContentBlock[] {
  const kept: ContentBlock[] = [];
  let left = bound;
  let dropped = 0;
  for (const block of blocks) {
    const size = (sizeOf(block) ?? Number.POSITIVE_INFINITY) + 1;
    if (size <= left) {
      kept.push(block);
      left -= size;
      continue;
    }
    const part = left > 128 ? partOf(block, left - 128) : undefined;
    if (part === undefined) {
      if (dropped++ < 4) notes.push(`${nameOf(block)} is left out`);
      continue;
    }
    notes.push(`a text of ${textOf(block)?.length ?? 0} characters is cut to ${textOf(part)?.length ?? 0}`);
    kept.push(part);
    left -= (sizeOf(part) ?? 0) + 1;
  }
  if (dropped > 4) notes.push(`${dropped - 4} more parts are left out`);
  return kept;
}

/** The beginning of a block of text; `undefined` of any other. */
function partOf(block: ContentBlock, bound: number): ContentBlock | undefined {
  if (block.type === "text") return { type: "text", text: cutText(block.text, bound) };
  if (block.type !== "resource" || !("text" in block.resource)) return undefined;
  const { uri, mimeType, text } = block.resource;
  const frame = (sizeOf({ uri, mimeType }) ?? bound) + 64;
  if (frame >= bound) return undefined;
  const cut = cutText(text, bound - frame);
  return {
    type: "resource",
    resource: { uri, text: cut, ...(mimeType === undefined ? {} : { mimeType }) },
  };
}

const textOf = (block: ContentBlock): string | undefined => {
  if (block.type === "text") return block.text;
  return block.type === "resource" && "text" in block.resource ? block.resource.text : undefined;
};

const nameOf = (block: ContentBlock): string =>
  block.type === "image" || block.type === "audio"
    ? `${block.type === "image" ? "an image" : "audio"} of ${block.data.length} characters of base64`
    : `a part of type ${block.type.slice(0, 32)}`;

/** As much of the beginning as takes at most `bound` bytes in JSON, cut at a character. */
export function cutText(text: string, bound: number): string {
  let length = Math.min(text.length, Math.max(0, bound));
  for (;;) {
    const cut = atCharacter(text, length);
    const size = Buffer.byteLength(JSON.stringify(cut)) - 2;
    if (size <= bound || cut.length === 0) return cut;
    length = Math.min(cut.length - 1, Math.floor((cut.length * bound) / size));
  }
}

/** Not between the two halves of a character beyond the first plane. */
function atCharacter(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  const splits = length < text.length && last >= 0xd8_00 && last <= 0xdb_ff;
  return text.slice(0, splits ? length - 1 : length);
}

const noteOf = (notes: readonly string[], bytes: number | undefined, bound: number): string =>
  `[Omni: the answer ${bytes === undefined ? "was nested too deeply" : `had ${bytes} bytes`}, at most ${bound} are passed on${
    notes.length === 0 ? "" : `: ${notes.join("; ")}`
  }. Ask for less at a time.]`.slice(0, NOTES - 128);
