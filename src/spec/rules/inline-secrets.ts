import type { SpecPath } from "../../core/spec-path.ts";
import { secretForm, secretHint } from "../secret-forms.ts";
import type { Report, Rule } from "./rule.ts";

const SECRET_NAME = /(?:(?:^|_)TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$/i;
const SECRET_HEADER = /^(?:authorization|proxy-authorization|x-api-key|api-key|cookie)$/i;
const SECRET_OPTION = /^--?(?:[a-z-]*-)?(?:api-key|apikey|token|hf-token|password|secret)(?:=(.+))?$/i;
const HIDDEN = { code: "spec.inline-secret", hint: "{ env: NAME } or { file: /run/secrets/name }" } as const;

const variable = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");

function checkText(text: string, path: SpecPath, report: Report): void {
  const form = secretForm(text);
  if (form === undefined) return;
  const message = form === "token" ? "this text is a credential by its form" : "the URL carries a password";
  report({ ...HIDDEN, path, message, hint: secretHint(form, text) });
}

/** Reports secrets behind options; returns the positions of those that it reported. */
function checkArguments(list: readonly unknown[], path: SpecPath, report: Report): ReadonlySet<number> {
  const reported = new Set<number>();
  list.forEach((argument, i) => {
    if (typeof argument !== "string") return;
    const option = SECRET_OPTION.exec(argument);
    const value = option === null ? undefined : (option[1] ?? list[i + 1]);
    // `--api-key $KEY` and `--api-key-file x` name a place; anything else after the option is the secret itself.
    if (typeof value === "string" && !value.startsWith("-") && !value.startsWith("$")) {
      const at = option?.[1] === undefined ? i + 1 : i;
      reported.add(at);
      report({
        ...HIDDEN,
        path: [...path, at],
        message: `the value of ${argument.split("=")[0] ?? ""} is a secret`,
        hint: "pass it by environment: { NAME: { env: NAME } }",
      });
    }
  });
  return reported;
}

const ARGUMENTS: ReadonlySet<unknown> = new Set(["arguments", "command", "entrypoint"]);

/** Walks everything, because a secret can be pasted anywhere. */
function walk(value: unknown, path: SpecPath, report: Report): void {
  if (typeof value === "string") checkText(value, path, report);
  else if (Array.isArray(value)) {
    const reported = ARGUMENTS.has(path.at(-1)) ? checkArguments(value, path, report) : undefined;
    value.forEach((item, i) => reported?.has(i) !== true && walk(item, [...path, i], report));
  } else if (typeof value === "object" && value !== null) {
    const kind = path.at(-1);
    for (const [key, child] of Object.entries(value)) {
      const at = [...path, key];
      const secret =
        (kind === "environment" && SECRET_NAME.test(key)) || (kind === "headers" && SECRET_HEADER.test(key));
      if (secret && typeof child === "string" && child !== "") {
        report({
          ...HIDDEN,
          path: at,
          message: `${key} is a secret by its name`,
          hint: `{ env: ${variable(key)} }`,
        });
      } else walk(child, at, report);
    }
  }
}

/** Secrets are referred to, never written: neither under a telling name, nor in a URL, nor behind an option. */
export const inlineSecrets: Rule = ({ spec }, report) => walk(spec, [], report);
