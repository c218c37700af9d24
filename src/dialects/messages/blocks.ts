import type { JsonObject } from "../dialect.ts";
import { optionalText, requireList, requireObject, requireText, shown } from "../fields.ts";
import { imageUrl } from "../images.ts";
import { DialectError } from "../translation.ts";

/** Part of a chat message: text or an image. */
export type ChatPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string } };

const refused = (param: string, type: unknown, why: string): DialectError =>
  new DialectError(`${param}.type`, `${param}: blocks of type ${shown(type)} ${why}.`);

/** The blocks of a content: a string is one text block. */
export function contentBlocks(content: unknown, param: string): readonly JsonObject[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return requireList(content, param, "a string or a list of blocks").map((block, at) =>
    requireObject(block, `${param}[${at}]`, "a block"),
  );
}

/** What a text, image, document or search result block is in a chat message. Throws `DialectError` for all others. */
export function chatParts(block: JsonObject, param: string): ChatPart[] {
  switch (block["type"]) {
    case "text":
      return [{ type: "text", text: requireText(block["text"], `${param}.text`) }];
    case "image":
      return [{ type: "image_url", image_url: { url: imageUrl(block["source"], `${param}.source`) } }];
    case "document":
      return documentParts(block, param);
    case "search_result":
      return [{ type: "text", text: searchResult(block, param) }];
    default:
      throw unknownBlock(block["type"], param);
  }
}

/** Why a block cannot be said to an engine of OpenAI's dialect. */
export function unknownBlock(type: unknown, param: string): DialectError {
  if (typeof type !== "string")
    return new DialectError(`${param}.type`, `${param}.type: expected a type of block.`);
  if (type === "server_tool_use" || type.endsWith("_tool_result")) {
    return refused(param, type, "belong to tools that Anthropic's servers run; this engine has none of them");
  }
  return refused(param, type, "have no counterpart at this engine");
}

function documentParts(block: JsonObject, param: string): ChatPart[] {
  const source = requireObject(block["source"], `${param}.source`);
  const title = optionalText(block["title"], `${param}.title`);
  const head = title === undefined ? "" : `${title}\n\n`;
  switch (source["type"]) {
    case "text":
      return [{ type: "text", text: head + requireText(source["data"], `${param}.source.data`) }];
    case "content": {
      const at = `${param}.source.content`;
      const parts = contentBlocks(source["content"], at).flatMap((inner, index) =>
        chatParts(inner, `${at}[${index}]`),
      );
      return head === "" ? parts : [{ type: "text", text: head }, ...parts];
    }
    default: {
      const name = title === undefined ? "the document" : `document ${shown(title)}`;
      throw new DialectError(
        `${param}.source.type`,
        `${param}: ${name} is no text (${shown(source["media_type"] ?? source["type"])}), and this engine reads text and images only. Send its text.`,
      );
    }
  }
}

function searchResult(block: JsonObject, param: string): string {
  const texts = contentBlocks(block["content"], `${param}.content`).map((inner, at) =>
    requireText(inner["text"], `${param}.content[${at}].text`),
  );
  const title = requireText(block["title"], `${param}.title`);
  return `${title}\n${requireText(block["source"], `${param}.source`)}\n\n${texts.join("\n")}`;
}

/** Text of a system prompt: a string, or text blocks as paragraphs. */
export function systemText(system: unknown, param: string): string {
  if (typeof system === "string") return steadyHeader(system);
  return contentBlocks(system, param)
    .map((block, at) => {
      if (block["type"] !== "text") throw refused(`${param}[${at}]`, block["type"], "cannot stand here");
      return steadyHeader(requireText(block["text"], `${param}[${at}].text`));
    })
    .join("\n\n");
}

/**
 * Claude Code puts a stamp into its first system block that changes with each request and would keep engines from reusing
 * what they have of the prompt; llama-server blanks it in the same way (llama.cpp pull request 21793).
 */
const steadyHeader = (text: string): string =>
  text.replace(/^(x-anthropic-billing-header:[^\n]{0,400}?cch=)[0-9a-f]{5}(?=;)/, "$1fffff");

/**
 * A list of text parts as one string where there is nothing else in it. Engines differ in what they put between parts
 * (llama-server and vLLM a line feed, others nothing), and many templates take strings alone.
 */
export function foldText(parts: readonly ChatPart[], between: string): string | ChatPart[] {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return texts.length === parts.length ? texts.join(between) : [...parts];
}
