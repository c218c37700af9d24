/** A text within `most` characters: its beginning and its end, with what was left out named in between. */
export function boundedText(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, Math.ceil(most / 3));
  const tail = text.slice(text.length - Math.floor((most * 2) / 3));
  return `${head}\n[… ${text.length - head.length - tail.length} characters left out …]\n${tail}`;
}
