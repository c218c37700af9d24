import { OmniError } from "../../core/index.ts";

/**
 * A text as a value of a compose file that comes out of Compose's interpolation unchanged: every dollar is doubled. Keys
 * of mappings are not interpolated and must not go through here. `at` names the place in omni.yaml. Throws `OmniError`
 * `render.unrepresentable` on NUL, which no process can be given. YAML itself is escaped by the document's writer.
 * Source: compose-spec, 12-interpolation.md.
 */
export function composeText(text: string, at: string): string {
  if (text.includes("\0")) {
    throw new OmniError("render.unrepresentable", `${at}: no process can be given a NUL character.`, {
      hint: "Remove the character from the spec.",
    });
  }
  return text.replaceAll("$", "$$$$");
}

/**
 * A reference to a variable of `.env` or of the shell that runs Compose. With `required`, a sentence without braces,
 * Compose refuses to do anything until the variable has a value; without it, an unset one is empty and a warning.
 * Throws `OmniError` `render.unrepresentable` for a name that Compose does not read as one.
 */
export function composeVariable(name: string, at: string, required?: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new OmniError(
      "render.unrepresentable",
      `${at}: ${JSON.stringify(name)} is no name of a variable that Compose could read from .env.`,
      { hint: "Letters, digits and underscores, no digit first." },
    );
  }
  return required === undefined ? `\${${name}}` : `\${${name}:?${required.replaceAll(/[{}$]/g, "")}}`;
}

/** A key of `environment`: a process knows no variable without a name, with `=` in it or with NUL. */
export function environmentKey(name: string, at: string): string {
  if (name === "" || /[=\0]/.test(name)) {
    throw new OmniError(
      "render.unrepresentable",
      `${at}: ${JSON.stringify(name)} cannot be the name of an environment variable.`,
      { hint: "A name has no = and no NUL in it." },
    );
  }
  return name;
}
