/** Texts that are credentials whatever key they stand under; the prefixes are those that their issuers document. */
const TOKENS =
  /\b(?:hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|nvapi-[\w-]{20,})|-----BEGIN [A-Z ]*PRIVATE KEY-----/;
// Bounded, so that a megabyte of letters is not tried from every one of them.
const URL_PASSWORD = /[a-z][a-z0-9+.-]{0,20}:\/\/[^/@\s:]{0,100}:[^/@\s]{1,200}@/i;

/** Why a text is a secret by its form, `undefined` when nothing says so. */
export function secretForm(text: string): "token" | "url" | undefined {
  if (TOKENS.test(text)) return "token";
  return URL_PASSWORD.test(text) ? "url" : undefined;
}

/** What to type instead of a secret. */
export const secretHint = (form: "token" | "url", text = ""): string =>
  form === "url" && /^https?:/i.test(text)
    ? "the URL without its password, and headers: { authorization: { env: NAME } }"
    : "{ env: NAME } or { file: /run/secrets/name }";

const KEY_BLOCK = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;

/** A text to be shown, without what is a secret by its form: a comment may hold one, which no rule of the spec looks at. */
export const withoutSecrets = (text: string): string =>
  text
    .replaceAll(KEY_BLOCK, "(a secret)")
    .replaceAll(new RegExp(TOKENS, "g"), "(a secret)")
    .replaceAll(new RegExp(URL_PASSWORD, "gi"), "(a secret)");
