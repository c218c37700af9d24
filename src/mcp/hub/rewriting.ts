import type {
  CallToolResult,
  ContentBlock,
  GetPromptResult,
  ReadResourceResult,
} from "@modelcontextprotocol/server";

type Contents = ReadResourceResult["contents"][number];

/** A tool's result with addresses as clients know them; the same object where there is nothing to change. */
export function outsideTool(result: CallToolResult, scheme: string): CallToolResult {
  // A server that answers without contents is passed on as one that has none.
  const content = Array.isArray(result.content) ? result.content : [];
  if (scheme !== "" && content.some(hasAddress))
    return { ...result, content: content.map((block) => outsideBlock(block, scheme)) };
  return content === result.content ? result : { ...result, content };
}

export function outsidePrompt(result: GetPromptResult, scheme: string): GetPromptResult {
  if (scheme === "" || !result.messages.some(({ content }) => hasAddress(content))) return result;
  return {
    ...result,
    messages: result.messages.map((message) => ({
      ...message,
      content: outsideBlock(message.content, scheme),
    })),
  };
}

export const outsideResource = (result: ReadResourceResult, scheme: string): ReadResourceResult =>
  scheme === ""
    ? result
    : { ...result, contents: result.contents.map((contents) => outsideContents(contents, scheme)) };

const hasAddress = ({ type }: ContentBlock): boolean => type === "resource" || type === "resource_link";

function outsideBlock(block: ContentBlock, scheme: string): ContentBlock {
  if (block.type === "resource_link") return { ...block, uri: scheme + block.uri };
  if (block.type === "resource") return { ...block, resource: outsideContents(block.resource, scheme) };
  return block;
}

const outsideContents = <T extends Contents>(contents: T, scheme: string): T => ({
  ...contents,
  uri: scheme + contents.uri,
});
