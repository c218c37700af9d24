import { MalformedAnswer } from "./engine-error.ts";
import { COLON, CR, LF, SPACE, TAB, TOKEN, VALUE } from "./response-characters.ts";

/** Where the parts of header lines lie in a text: four numbers a line, begin and end of its name and of its value. */
export type FieldPlaces = number[];

/**
 * Reads one header line that begins at `from` and adds its places. Returns where the next one begins, `end` + 1 when the line is
 * not whole before `end`, or minus the next place for the empty line that ends a block. Throws MalformedAnswer.
 */
export function readField(bytes: Buffer, from: number, end: number, places: FieldPlaces): number {
  let at = from;
  while (at < end && TOKEN[bytes[at] ?? 0] === 1) at++;
  if (at >= end) return end + 1;
  if (at === from) return emptyLine(bytes, from, end);
  if (bytes[at] !== COLON) throw new MalformedAnswer("a header's name is no token");
  const nameEnd = at++;
  while (at < end && isBlank(bytes[at])) at++;
  const begin = at;
  while (at < end && VALUE[bytes[at] ?? 0] === 1) at++;
  if (at >= end) return end + 1;
  if (bytes[at] !== CR) throw new MalformedAnswer("a header's value holds a control character");
  if (at + 1 >= end) return end + 1;
  if (bytes[at + 1] !== LF) throw new MalformedAnswer("a carriage return stands without its line feed");
  let valueEnd = at;
  while (valueEnd > begin && isBlank(bytes[valueEnd - 1])) valueEnd--;
  places.push(from, nameEnd, begin, valueEnd);
  return at + 2;
}

function emptyLine(bytes: Buffer, from: number, end: number): number {
  if (bytes[from] !== CR) throw new MalformedAnswer("a header line does not begin with a name");
  if (from + 1 >= end) return end + 1;
  if (bytes[from + 1] !== LF) throw new MalformedAnswer("a carriage return stands without its line feed");
  return -(from + 2);
}

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;
