/** Names of parameters whose values are secrets, also as parts of longer names: `api_key`, `access-token`. */
const SECRET_NAME = /key|token|secret|password|passwd|signature|sig$|auth|credential|code/i;
const LONGEST_PATH = 500;

/** A path for the log: values of parameters that may be secrets are masked, and it ends after 500 characters. */
export function safePath(path: string): string {
  const mark = path.indexOf("?");
  if (mark < 0 && path.length <= LONGEST_PATH) return path;
  const query = path
    .slice(mark + 1)
    .split("&")
    .map(maskPair)
    .join("&");
  const whole = mark < 0 ? path : path.slice(0, mark + 1) + query;
  return whole.length > LONGEST_PATH ? `${whole.slice(0, LONGEST_PATH)}…` : whole;
}

function maskPair(pair: string): string {
  const equals = pair.indexOf("=");
  // A parameter without a name may be the secret itself.
  if (equals <= 0) return pair.length > 20 ? "***" : pair;
  const name = pair.slice(0, equals);
  return SECRET_NAME.test(decoded(name)) ? `${name}=***` : pair;
}

/** Percent signs must not hide a name. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
