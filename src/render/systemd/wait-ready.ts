/** Script that holds a unit in `activating` until its engine can serve; systemd's TimeoutStartSec bounds it. */
export const WAIT_READY_SCRIPT = `#!/bin/sh
# wait-ready URL: returns when URL answers 200, and fails when the unit's main process has ended.
# Rendered by Omni from omni.yaml; the ExecStartPost of its units, so that "active" means that the engine can serve, and
# the ExecStartPre of units that come after it. How long it may take is the unit's TimeoutStartSec. No
# certificate is looked at: it is for the name that clients use, and nothing is sent or read but that something answers.
set -eu
url=\${1:?usage: wait-ready URL}

if command -v curl >/dev/null 2>&1; then
  ask() { curl --insecure --fail --silent --output /dev/null --max-time 5 --noproxy '*' "$url"; }
elif command -v wget >/dev/null 2>&1; then
  ask() { wget --quiet --no-check-certificate --output-document=/dev/null --timeout=5 --tries=1 --no-proxy "$url"; }
else
  echo "wait-ready: neither curl nor wget is here, so nobody asked whether $url is ready" >&2
  exit 0
fi

while ! ask; do
  if [ -n "\${MAINPID:-}" ] && ! kill -0 "$MAINPID" 2>/dev/null; then
    echo "wait-ready: the engine (PID $MAINPID) ended before $url answered; its last words are above" >&2
    exit 1
  fi
  sleep 1
done
`;
