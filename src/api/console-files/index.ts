/**
 * The console's files, as it was built: read once, compressed once, told to browsers with what they may keep and do.
 * Never here: how the console is built, and what it shows.
 */
export { consoleEndpoints } from "./console-endpoints.ts";
