/**
 * What an engine's process may inherit: enough to find programs, libraries and its home, never a token or key
 * that happens to be in the parent's environment.
 */
const ALLOWED: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "TMP",
  "TEMP",
  "LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
  // Windows finds neither DLLs nor programs without these.
  "SYSTEMROOT",
  "WINDIR",
  "COMSPEC",
  "PATHEXT",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
]);

/** The environment of an engine's process: the allowed part of `parent`, then what the engine's driver asks for. */
export function processEnvironment(
  parent: NodeJS.ProcessEnv,
  wanted: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(parent)) {
    const allowed = ALLOWED.has(name.toUpperCase()) || name.startsWith("LC_");
    if (allowed && value !== undefined) environment[name] = value;
  }
  return { ...environment, ...wanted };
}
