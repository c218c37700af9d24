/** A text as Markdown that shows it as it is, on one line: nothing of it becomes a heading, a link, code or HTML. */
export const markdownText = (text: string): string =>
  text
    .replaceAll(/[\s\u0085\u2028\u2029]+/g, " ")
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replaceAll(/[\u0000-\u001f\u007f]/g, "")
    .replaceAll(/[\\`*_[\]<>|~&]/g, (character) => `\\${character}`)
    .replace(/^(\s*)([#+-])/, "$1\\$2")
    .replace(/^(\s*\d+)([.)])/, "$1\\$2")
    .trim();
