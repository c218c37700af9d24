/** One event of a stream as wire text; `data` must be one line, as JSON is. */
export const sseEvent = (data: string, name?: string): string =>
  name === undefined ? `data: ${data}\n\n` : `event: ${name}\ndata: ${data}\n\n`;
