/**
 * What Compose makes of a value of its file: `$$` is a dollar, `${NAME}` and `${NAME:?why}` are taken from `variables`.
 * Throws on every other dollar, as Compose does. Source: compose-spec, 12-interpolation.md.
 */
export function interpolated(value: unknown, variables: Readonly<Record<string, string>> = {}): unknown {
  if (typeof value === "string")
    return value.replaceAll(
      /\$(\$|\{([A-Za-z_]\w*)(?::\?[^{}$]*)?\})?/g,
      (all, kind?: string, name?: string) => {
        if (kind === "$") return "$";
        if (name === undefined)
          throw new Error(`Compose refuses ${JSON.stringify(all)} in ${JSON.stringify(value)}`);
        return variables[name] ?? `<${name}>`;
      },
    );
  if (Array.isArray(value)) return value.map((item) => interpolated(item, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, interpolated(inner, variables)]),
  );
}
