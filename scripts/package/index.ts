/**
 * The package: what `npm pack` puts beside the source. JavaScript for Node's own reading of installed packages, the list
 * of all that is shipped with its licences, and the lock of what it installs. Never here: the console, which Vite builds.
 */
export { compileSource } from "./compile-source.ts";
export { cycloneDx } from "./cyclone-dx.ts";
export { isAllowed } from "./allowed-licences.ts";
export { licencesPage } from "./licences-page.ts";
export { productionLock, readLock } from "./lock-file.ts";
export { shippedPackages } from "./shipped-packages.ts";
