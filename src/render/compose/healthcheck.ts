import type { DeployedService } from "../../deployment/index.ts";
import { composeText } from "../escape/compose.ts";
import { shellWord } from "../escape/shell.ts";
import type { ComposeHealthcheck } from "./compose-file.ts";
import { composeDuration } from "./quantity.ts";

const PYTHON =
  "import sys,urllib.request as r;r.build_opener(r.ProxyHandler({})).open(sys.argv[1],timeout=8).read()";

/**
 * Asks an engine whether it can serve, with what its image has: curl is in the images of llama.cpp, vLLM and Triton,
 * python3 in those of SGLang, KTransformers and ComfyUI, wget in small bases. Compose only shows the answer and lets
 * `depends_on` wait for it; Docker restarts nothing that is unhealthy.
 */
export function healthcheckOf({
  start,
  port,
  loadTimeout,
  name,
}: Pick<DeployedService, "start" | "port" | "loadTimeout" | "name">): ComposeHealthcheck {
  const path = start.readyPath.startsWith("/") ? start.readyPath : "/";
  const url = shellWord(`http://127.0.0.1:${port}${path}`);
  const script = [
    `if command -v curl >/dev/null; then curl --noproxy '*' -fsS -m 8 -o /dev/null ${url}`,
    `elif command -v python3 >/dev/null; then python3 -c ${shellWord(PYTHON)} ${url}`,
    `else http_proxy= wget -q -T 8 -O /dev/null ${url}`,
    "fi",
  ].join("; ");
  return {
    test: ["CMD-SHELL", composeText(script, `services.${name}, path of its health`)],
    interval: "10s",
    timeout: "10s",
    retries: 6,
    start_period: composeDuration(loadTimeout),
  };
}
