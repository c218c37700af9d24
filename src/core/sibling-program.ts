/**
 * The file of a program or thread beside the module whose `import.meta.url` is `from`, named without its ending:
 * `./hash-thread`. It gets the ending of that module, because Omni runs in two forms: the source (`.ts`), and as
 * JavaScript in the package, where Node strips no types (below `node_modules`).
 */
export const siblingProgram = (from: string, name: string): URL =>
  new URL(`${name}${from.slice(from.lastIndexOf("."))}`, from);
