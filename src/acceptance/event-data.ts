import { OmniError } from "../core/index.ts";

/** Characters of one event; a longer one is no event of a text. */
const LONGEST = 8 * 2 ** 20;

/** The data of each server-sent event, by any of the three line ends, told in the turn in which its last byte came. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST)
      throw new OmniError(
        "acceptance.bad-answer",
        `A line of the stream is longer than ${LONGEST} characters.`,
      );
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      if (line !== "" || data.length === 0) continue;
      yield data.join("\n");
      data = [];
    }
  }
}
