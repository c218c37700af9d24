/** What programs need to be found and to run at all; Windows starts nothing without its own. */
const PASSED =
  process.platform === "win32"
    ? ["PATH", "PATHEXT", "SYSTEMROOT", "COMSPEC", "TEMP", "USERPROFILE"]
    : ["PATH", "HOME"];

/** PATH and HOME of this process and what the owner gives: never what else this process was given. */
export function childEnvironment(given: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of PASSED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...given };
}
