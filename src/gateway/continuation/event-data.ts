/** One server-sent event: the text behind `data:`, several lines of it joined, and its name. */
interface EventData {
  readonly data: string;
  readonly name: string | undefined;
}

/** The events of a text that holds whole ones, by LF or CRLF; comments and events without data are left out. */
export function* eventsIn(text: string): Generator<EventData> {
  let data: string | undefined;
  let name: string | undefined;
  for (const line of text.split("\n")) {
    const end = line.endsWith("\r") ? line.length - 1 : line.length;
    if (end === 0) {
      if (data !== undefined) yield { data, name };
      data = name = undefined;
    } else if (line.startsWith("data:")) {
      const part = line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5, end);
      data = data === undefined ? part : `${data}\n${part}`;
    } else if (line.startsWith("event:")) name = line.slice(6, end).trim();
  }
  if (data !== undefined) yield { data, name };
}
