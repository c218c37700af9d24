/** Where audit and pins are kept: the store's, for whoever composes the gateway. */
export { openMcpBook } from "../../store/index.ts";
export type { McpBook } from "../../store/index.ts";
