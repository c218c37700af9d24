import { OmniError } from "../../core/index.ts";
import { daemonAnswer } from "./daemon-answer.ts";
import type { DockerSocket } from "./docker-socket.ts";
import { shownSocket } from "./docker-socket.ts";

/** Docker cannot be reached, as OmniError `runtime.unreachable` that says what to do. */
export function unreachableError(socket: DockerSocket, thrown: unknown): OmniError {
  const { errno, words } = daemonAnswer(thrown);
  const { why, hint } = reason(socket, errno, words);
  return new OmniError("runtime.unreachable", `Docker at ${shownSocket(socket)} cannot be used: ${why}.`, {
    hint,
    cause: thrown,
  });
}

/** Docker answered, but not as it should: OmniError `engine.not-started` with its words. */
export function refusedError(socket: DockerSocket, thrown: unknown): OmniError {
  const { status, words } = daemonAnswer(thrown);
  return new OmniError(
    "engine.not-started",
    `Docker at ${shownSocket(socket)} answers with HTTP ${status ?? "nothing"}: ${words.replace(/\.$/, "")}.`,
    { hint: "docker info and journalctl -u docker say more.", cause: thrown },
  );
}

interface Reason {
  readonly why: string;
  readonly hint: string;
}

function reason(socket: DockerSocket, errno: string | undefined, words: string): Reason {
  if (socket.kind === "ssh") {
    return {
      why: words.replace(/\.$/, ""),
      hint: `ssh ${socket.host} docker version   # has to answer without asking`,
    };
  }
  switch (errno) {
    case "ENOENT":
      return {
        why: "there is no such socket: Docker is not installed, not started, or elsewhere (ENOENT)",
        hint: "sudo systemctl start docker; rootless Docker: runtime.docker.socket: unix:///run/user/$(id -u)/docker.sock",
      };
    case "EACCES":
    case "EPERM":
      return {
        why: `this user may not use the socket (${errno})`,
        hint: "sudo usermod -aG docker $USER, then log in again (members of docker are as mighty as root); or rootless Docker: dockerd-rootless-setuptool.sh install",
      };
    case "ECONNREFUSED":
      return {
        why: "nobody listens there: Docker is not running (ECONNREFUSED)",
        hint: "sudo systemctl start docker; journalctl -u docker says why it ended",
      };
    default:
      return { why: words.replace(/\.$/, ""), hint: "docker version   # has to show a server" };
  }
}
